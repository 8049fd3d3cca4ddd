import { useEffect } from 'react';
import type { Moments } from './moments.ts';
import { type Player, speeds } from './player.ts';

interface Doing {
  readonly moments: Moments;
  readonly player: Player;
  readonly zoom: (by: number) => void;
  readonly theme: () => void;
  readonly help: () => void;
  readonly allPanels: () => void;
}

/** The function of each key, for the list on the page. */
export const keys: readonly (readonly [string, string])[] = [
  ['← →', 'one step back, one on'],
  ['Shift ← →', 'ten steps'],
  ['Home End', 'to the start, to the end'],
  ['Space', 'play, pause'],
  ['[ ]', 'slower, faster'],
  ['n p', 'to the next violation, to the one before'],
  ['+ −', 'larger or smaller time line'],
  ['1 ... 9', 'take this step (when exploring)'],
  ['Esc', 'all panels, after one was enlarged'],
  ['t', 'dark or light'],
  ['← → ↑ ↓ + − 0', 'in a drawing that was reached with Tab: move, zoom, fit'],
  ['. ,', 'in a statechart that was reached with Tab: the next transition, the one before'],
  ['Esc', 'out of a field, so that the keys act again'],
  ['?', 'this list'],
];

/** A button clicked with a pointer gives up the focus, so that the keys still control the time line. */
function release({ target, detail }: MouseEvent): void {
  if (detail > 0) (target as HTMLElement).closest<HTMLElement>('.inspector button')?.blur();
}

/** Keys for all movements. Keys typed into a field stay with the field. */
export function useKeys(doing: Doing): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key === 'Escape' && target.matches('.inspector input')) target.blur();
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target.closest('input[type=text], input[type=search], select, .downloads, dialog') !== null
      )
        return;
      // A focused button handles this key itself.
      if (event.key === ' ' && target.matches('button')) return;
      if (act(event, doing)) event.preventDefault();
    };
    window.addEventListener('keydown', pressed);
    window.addEventListener('click', release);
    return () => {
      window.removeEventListener('keydown', pressed);
      window.removeEventListener('click', release);
    };
  });
}

function act(
  { key, shiftKey }: KeyboardEvent,
  { moments, player, zoom, theme, help, allPanels }: Doing,
): boolean {
  const { moment, isPlaying, speed } = player;
  const by = shiftKey ? 10 : 1;
  const actions: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => player.go(moment - by),
    ArrowRight: () => player.go(moment + by),
    Home: () => player.go(0),
    End: () => player.end(),
    ' ': () => player.play(!isPlaying),
    '[': () => player.setSpeed(speeds[Math.max(0, speedIndex(speed) - 1)]!),
    ']': () => player.setSpeed(speeds[Math.min(speeds.length - 1, speedIndex(speed) + 1)]!),
    n: () => player.go(violations(moments).find((at) => at > moment) ?? moment),
    p: () => player.go(violations(moments).findLast((at) => at < moment) ?? moment),
    '+': () => zoom(1.4),
    '=': () => zoom(1.4),
    '-': () => zoom(1 / 1.4),
    t: theme,
    '?': help,
    Escape: allPanels,
  };
  const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
  action?.();
  return action !== undefined;
}

function speedIndex(speed: number): number {
  return (speeds as readonly number[]).indexOf(speed);
}

/** The moments at which a property is violated for the first time. */
function violations(moments: Moments): readonly number[] {
  const found = moments.timeline.properties.flatMap((_, index) => moments.brokenSince(index) ?? []);
  return found.sort((left, right) => left - right);
}
