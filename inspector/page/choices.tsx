import { useEffect, useState } from 'react';
import type { TimelineProperty } from '../../verification/timeline/format.ts';
import type { Choice, Found } from '../protocol.ts';
import { type Data, textOf } from './data.ts';

interface ChoicesProps {
  readonly choices: readonly Choice[];
  readonly properties: readonly TimelineProperty[];
  /** A state in words, for the empty field. */
  readonly example: string;
  readonly data: Data;
  readonly onPick: (choice: number) => void;
  readonly onPath: (path: readonly number[]) => void;
}

/**
 * Every step that is enabled here, and ways to jump: to the state that decides a property, or to a state by
 * its description.
 */
export function Choices({ choices, properties, example, data, onPick, onPath }: ChoicesProps) {
  const [said, setSaid] = useState('');
  const [state, setState] = useState('');
  const [property, setProperty] = useState('');

  useEffect(() => {
    const pressed = ({ key, target }: KeyboardEvent) => {
      if ((target as HTMLElement).matches('input[type=text], select')) return;
      const index = Number(key) - 1;
      if (Number.isInteger(index) && index >= 0 && index < choices.length) onPick(index);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [choices, onPick]);

  const jump = (what: Parameters<Data['find']>[0]) => {
    setSaid('Looking ...');
    data.find(what).then(
      ({ path, reason }: Found) => {
        setSaid(reason);
        if (path !== null) onPath(path);
      },
      (error: unknown) => setSaid(textOf(error)),
    );
  };

  const numbered = choices.map((choice, index) => ({ ...choice, number: index + 1 }));
  return (
    <div className="scroll">
      <ol className="choices-list">
        {numbered.map(({ kind, text, number }) => (
          <li key={number}>
            <button type="button" className={`choice ${kind}`} onClick={() => onPick(number - 1)}>
              <kbd>{number}</kbd>
              <span>{text}</span>
            </button>
          </li>
        ))}
      </ol>
      {choices.length === 0 && <p className="hint">Nothing can happen here.</p>}
      <form
        className="jumps"
        onSubmit={(event) => {
          event.preventDefault();
          if (state.trim() !== '') jump({ state });
        }}
      >
        <select
          aria-label="Jump to a property"
          value={property}
          onChange={(event) => setProperty(event.target.value)}
        >
          <option value="">Jump to a property ...</option>
          {properties.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <button type="button" disabled={property === ''} onClick={() => jump({ property })}>
          Jump
        </button>
        <input
          type="text"
          aria-label="Jump to a state"
          placeholder={`state: ${example}`}
          value={state}
          onChange={(event) => setState(event.target.value)}
        />
        <button type="submit">Find</button>
        <output>{said}</output>
      </form>
    </div>
  );
}
