import { useMemo } from 'react';
import type { Moments } from './moments.ts';
import { type Player, speeds } from './player.ts';
import { typedText } from './values.ts';

/** The scrubber, and the description of the step in view. */
export function Controls({ moments, player }: { readonly moments: Moments; readonly player: Player }) {
  const { moment, isPlaying, speed } = player;
  const { last } = moments;
  const text = stepText(moments, moment);
  const marks = violations(moments);
  const gaps = useMemo(() => gapsOf(moments), [moments]);
  const { loop } = moments.timeline;
  const share = (of: number) => `${last === 0 ? 0 : (of / last) * 100}%`;
  return (
    <footer className="controls">
      <div className="buttons">
        <Button name="To the start" keys="Home" sign="start" on={() => player.go(0)} />
        <Button name="Step back" keys="←" sign="back" on={() => player.go(moment - 1)} />
        <button
          type="button"
          className="play"
          title="Play or pause (Space)"
          aria-label={isPlaying ? 'Pause' : 'Play'}
          onClick={() => player.play(!isPlaying)}
        >
          <Icon sign={isPlaying ? 'pause' : 'play'} />
        </button>
        <Button name="Step on" keys="→" sign="on" on={() => player.go(moment + 1)} />
        <Button name="To the end" keys="End" sign="end" on={() => player.end()} />
        <label className="speed">
          <span className="visually-hidden">Steps a second</span>
          <select value={speed} onChange={(event) => player.setSpeed(Number(event.target.value))}>
            {speeds.map((one) => (
              <option key={one} value={one}>
                {one} / s
              </option>
            ))}
          </select>
        </label>
      </div>
      <div className="track">
        <input
          type="range"
          min={0}
          max={last}
          value={moment}
          aria-label="Step"
          aria-valuetext={`step ${moments.numberOf(moment)} of ${moments.numberOf(last)}: ${text}`}
          onChange={(event) => player.go(Number(event.target.value))}
        />
        {gaps.map(({ from, to }) => (
          <i
            key={from}
            className="gap"
            style={{ left: share(from), width: share(to - from) }}
            title={`steps ${moments.numberOf(from)} to ${moments.numberOf(to)}: not all sites are seen`}
          />
        ))}
        {loop !== undefined && (
          <i
            className="forever"
            style={{ left: share(loop), width: share(last - loop) }}
            title={`from step ${loop} on, for ever`}
          />
        )}
        {marks.map(({ at, name }) => (
          <i
            key={name}
            className="mark"
            style={{ left: share(at) }}
            title={`step ${moments.numberOf(at)}: ${name} is violated`}
          />
        ))}
      </div>
      <div className="now">
        <b>
          {moments.numberOf(moment)}
          <small> / {moments.numberOf(last)}</small>
        </b>
        <span aria-live="polite" data-step={moment} title={text}>
          {text}
        </span>
      </div>
    </footer>
  );
}

const icons = {
  start: 'M4 3h2v10H4zM13 3v10L6 8z',
  back: 'M11 3v10L4 8z',
  play: 'M4 2.5v11L13 8z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  on: 'M5 3v10l7-5z',
  end: 'M10 3h2v10h-2zM3 3v10l7-5z',
} as const;

type Sign = keyof typeof icons;

function Icon({ sign }: { readonly sign: Sign }) {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={icons[sign]} fill="currentColor" />
    </svg>
  );
}

function Button({ name, keys, sign, on }: { name: string; keys: string; sign: Sign; on: () => void }) {
  return (
    <button type="button" title={`${name} (${keys})`} aria-label={name} onClick={on}>
      <Icon sign={sign} />
    </button>
  );
}

/** `b receives TOKEN from a, grant`. */
export function stepText({ timeline }: Moments, moment: number): string {
  const { loop, steps } = timeline;
  if (moment === 0) return 'At first';
  const { text, effects } = steps[moment - 1]!;
  const done = effects.map((effect) => {
    if (effect.type === 'send') return `sends ${typedOf(effect['message'])} to ${String(effect['target'])}`;
    if (effect.type === 'broadcast') return `sends ${typedOf(effect['message'])} to all others`;
    return typedText(effect);
  });
  const again = loop !== undefined && moment === steps.length ? [loopText(loop, steps.length)] : [];
  return [text, ...done, ...again].join(', ');
}

function loopText(loop: number, last: number): string {
  if (loop === last) return 'and from here on nothing need happen, for ever';
  return `and all is again as at step ${loop}: what came since goes on for ever`;
}

function typedOf(message: unknown): string {
  return typeof message === 'object' && message !== null && 'type' in message
    ? typedText(message as { readonly type: string })
    : String(message);
}

/** The intervals in which some site that was seen before is not seen. */
function gapsOf({ timeline, last }: Moments): readonly { from: number; to: number }[] {
  const away = new Set<string>();
  const gaps: { from: number; to: number }[] = [];
  for (const [index, { kind, site }] of timeline.steps.entries()) {
    if (kind === 'unseen' || kind === 'gone') {
      if (away.size === 0) gaps.push({ from: index + 1, to: last });
      away.add(site);
    } else if (kind === 'seen' && away.delete(site) && away.size === 0) {
      gaps[gaps.length - 1] = { ...gaps.at(-1)!, to: index + 1 };
    }
  }
  return gaps;
}

function violations(moments: Moments): readonly { at: number; name: string }[] {
  return moments.timeline.properties.flatMap(({ name }, index) => {
    const at = moments.brokenSince(index);
    return at === null ? [] : [{ at, name }];
  });
}
