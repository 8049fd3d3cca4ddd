import type { Model, Predicate } from '../../model.ts';
import type { ActionFairness } from '../index.ts';

/** `from action> to`: states are numbers, actions are letters. */
export type Arrow = `${number} ${string}> ${number}`;

/** A model of one process, given as the arrows of its state graph. State 0 is the initial one. */
export function tiny(...arrows: readonly Arrow[]): Model {
  const edges = arrows.map((arrow) => {
    const [, from, action, to] = /^(\d+) ([a-z])> (\d+)$/.exec(arrow)!;
    return { from: Number(from), action: actionNumber(action!), to: Number(to) };
  });
  return {
    width: 1,
    initial: [[0]],
    steps: (_, local) =>
      edges.filter(({ from }) => from === local).map(({ action, to }) => ({ action, to, sends: [] })),
    receive: (_, local) => local,
  };
}

export const actionNumber = (letter: string) => letter.charCodeAt(0) - 'a'.charCodeAt(0);

/** True in these states of a model of one process. */
export const at = (...states: readonly number[]): Predicate => ({
  kind: 'sum',
  project: (_, local) => (states.includes(local) ? 1 : 0),
  judge: (sum) => sum === 1,
});

/** Each class is a word whose letters are its actions: `fair({ weak: ['ab', 'c'] })`. */
export function fair(classes: {
  readonly weak?: readonly string[];
  readonly strong?: readonly string[];
}): ActionFairness {
  const classOf = (words: readonly string[] | undefined) => (action: number) =>
    (words ?? []).findIndex((word) => [...word].some((letter) => actionNumber(letter) === action));
  return { weak: classOf(classes.weak), strong: classOf(classes.strong) };
}
