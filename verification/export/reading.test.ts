import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Automaton, automatonOf, Layers } from './reading.ts';

function answer({ nodes, start }: Automaton, word: readonly number[]): number {
  let at = start;
  for (const symbol of word) if (at >= 0) at = nodes[at]!.get(symbol)!;
  return -1 - at;
}

const words = fc.uniqueArray(fc.array(fc.nat(4), { minLength: 3, maxLength: 3 }), {
  minLength: 1,
  selector: (word) => word.join(),
});

test('an automaton gives each word its answer', () => {
  fc.assert(
    fc.property(words, fc.func(fc.nat(3)), (all, of) => {
      const automaton = automatonOf(all.map((word) => [word, of(word)]));
      for (const word of all) expect(answer(automaton, word)).toBe(of(word));
    }),
  );
});

test('letters that no word tells apart share a class, and each word keeps its answer', () => {
  fc.assert(
    fc.property(words, fc.func(fc.nat(1)), (all, of) => {
      const layers = new Layers(3);
      for (const word of all) layers.add(word, of(word));
      const { automaton, classes } = layers.minimized(2);
      for (const word of all) {
        const read = word.map((letter, place) => (place < 2 ? classes[place]!.get(letter)! : letter));
        expect(answer(automaton, read)).toBe(of(word));
      }
    }),
  );
});

test('what does not matter is not read', () => {
  const layers = new Layers(3);
  for (const one of [0, 1])
    for (const two of [0, 1]) for (const last of [0, 1]) layers.add([one, two, last], two);
  const { automaton, classes } = layers.minimized(3);
  expect(classes.map((of) => new Set(of.values()).size)).toEqual([1, 2, 1]);
  expect(automaton.nodes).toHaveLength(2);
});
