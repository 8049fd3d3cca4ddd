import { useEffect, useId, useState } from 'react';
import type { Locks } from '../protocol.ts';
import type { Data } from './data.ts';

interface LockPickerProps {
  readonly data: Data;
  readonly onLock: (lock: string) => void;
}

const askAfterMs = 150;

/** A field for the name of another lock. It offers matching locks, because there may be very many. */
export function LockPicker({ data, onLock }: LockPickerProps) {
  const [text, setText] = useState<string | null>(null);
  const [{ names, more }, setLocks] = useState<Locks>({ names: [], more: false });
  const list = useId();

  useEffect(() => {
    if (text === null) return;
    let isOver = false;
    const offer = (locks: Locks) => {
      if (!isOver) setLocks(locks);
    };
    // If the list cannot be loaded, a name can still be typed.
    const ask = () => void data.locks(text).then(offer, () => offer({ names: [], more: false }));
    const timer = setTimeout(ask, askAfterMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [data, text]);

  const pick = (name: string) => {
    if (name.trim() === '') return;
    setText(null);
    onLock(name);
  };
  return (
    <form
      className="lock"
      onSubmit={(event) => {
        event.preventDefault();
        pick(text ?? '');
      }}
    >
      <input
        type="text"
        list={list}
        aria-label="Show another lock"
        placeholder="another lock ..."
        value={text ?? ''}
        onFocus={() => setText((before) => before ?? '')}
        onChange={({ target, nativeEvent }) => {
          // Browsers report a click in the list in one of two ways.
          const isTyped =
            nativeEvent instanceof InputEvent && nativeEvent.inputType !== 'insertReplacementText';
          if (!isTyped && names.includes(target.value)) pick(target.value);
          else setText(target.value);
        }}
      />
      <datalist id={list}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
        {more && <option value="">type more of the name ...</option>}
      </datalist>
    </form>
  );
}
