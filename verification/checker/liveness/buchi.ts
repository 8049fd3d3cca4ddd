import { LivenessError } from './errors.ts';
import type { Normal } from './normal.ts';

/**
 * A generalised Büchi automaton with letters and acceptance on its transitions. It starts in state 0 and
 * reads one letter per transition. It accepts a word if some run over it passes a transition of each
 * acceptance set infinitely often.
 */
export interface Automaton {
  readonly states: readonly (readonly Transition[])[];
  /**
   * The acceptance sets, one bit each. An accepting loop has a transition of each. 0: every infinite run
   * accepts.
   */
  readonly acceptance: number;
  /** For each state: the number of its strongly connected component if that component can accept, or -1. */
  readonly component: Int32Array;
}

/**
 * A transition. It reads a letter (bit `i`: atom `i` is true) that has all bits of `positive` and none of
 * `negative`.
 */
export interface Transition {
  readonly positive: number;
  readonly negative: number;
  readonly to: number;
  /** The acceptance sets that contain this transition. */
  readonly accepts: number;
}

/**
 * One way for a formula to hold now: constraints on the letter, the formulas that must hold next, and the
 * untils that are deferred.
 */
interface Way {
  readonly positive: number;
  readonly negative: number;
  readonly next: ReadonlySet<Normal>;
  readonly delays: number;
}

/**
 * Builds the automaton that accepts exactly the words on which `formula` holds. Its states are sets of
 * formulas that must hold, and its transitions are their expansions (R. Gerth, D. Peled, M. Vardi, P. Wolper,
 * "Simple on-the-fly automatic verification of linear temporal logic", PSTV 1995; acceptance on transitions
 * after J.-M. Couvreur, "On-the-fly verification of linear temporal logic", FM 1999). Implied transitions are
 * dropped, bisimilar states are merged, and states from which nothing can be accepted are removed.
 *
 * @throws LivenessError `FORMULA_TOO_LARGE`: more than 31 untils, or 4,096 states.
 */
export function automatonOf(formula: Normal): Automaton {
  const untils = new Map<Normal, number>();
  const memo = new Map<Normal, readonly Way[]>();
  const ways = (f: Normal): readonly Way[] => {
    let found = memo.get(f);
    if (found === undefined) {
      found = minimal(expand(f));
      memo.set(f, found);
    }
    return found;
  };
  const expand = (f: Normal): Way[] => {
    switch (f.op) {
      case 'true':
        return [FREE];
      case 'false':
        return [];
      case 'literal':
        return [{ ...FREE, [f.negated ? 'negative' : 'positive']: 1 << f.atom }];
      case 'next':
        return [{ ...FREE, next: conjuncts(f.of) }];
      case 'and':
        return product(ways(f.left), ways(f.right));
      case 'or':
        return [...ways(f.left), ...ways(f.right)];
      case 'until': {
        const delays = acceptanceBit(untils, f);
        return [...ways(f.right), ...product(ways(f.left), [{ ...FREE, next: new Set([f]), delays }])];
      }
      case 'release':
        return product(ways(f.right), [...ways(f.left), { ...FREE, next: new Set([f]) }]);
    }
  };

  const numbers = new Map<string, number>();
  const sets: ReadonlySet<Normal>[] = [];
  const numberOf = (set: ReadonlySet<Normal>): number => {
    const key = [...set]
      .map((f) => f.id)
      .sort((a, b) => a - b)
      .join();
    let number = numbers.get(key);
    if (number === undefined) {
      number = sets.push(set) - 1;
      if (number >= LARGEST) throw tooLarge(`needs an automaton of more than ${LARGEST} states`);
      numbers.set(key, number);
    }
    return number;
  };
  numberOf(conjuncts(formula));
  const expansions: { readonly way: Way; readonly to: number }[][] = [];
  for (const set of sets) {
    let all: readonly Way[] = [FREE];
    for (const f of set) all = minimal(product(all, ways(f)));
    expansions.push(all.map((way) => ({ way, to: numberOf(way.next) })));
  }
  const acceptance = 2 ** untils.size - 1;
  return trim(
    merge(
      expansions.map((list) =>
        list.map(({ way: { positive, negative, delays }, to }) => ({
          positive,
          negative,
          to,
          accepts: acceptance & ~delays,
        })),
      ),
      acceptance,
    ),
    acceptance,
  );
}

const FREE: Way = { positive: 0, negative: 0, next: new Set(), delays: 0 };

/**
 * Maximum number of states, and of ways to leave one state, before simplification. The work on them is
 * quadratic.
 */
const LARGEST = 4096;

function tooLarge(why: string): LivenessError {
  return new LivenessError(
    'FORMULA_TOO_LARGE',
    `The formula ${why}: check its conjuncts as properties of their own.`,
  );
}

function acceptanceBit(untils: Map<Normal, number>, until: Normal): number {
  let bit = untils.get(until);
  if (bit === undefined) {
    if (untils.size === 31) throw tooLarge('has more than 31 untils (U, F, negated R, G, W)');
    bit = 1 << untils.size;
    untils.set(until, bit);
  }
  return bit;
}

function conjuncts(f: Normal): ReadonlySet<Normal> {
  if (f.op === 'true') return new Set();
  return f.op === 'and' ? new Set([...conjuncts(f.left), ...conjuncts(f.right)]) : new Set([f]);
}

function product(left: readonly Way[], right: readonly Way[]): Way[] {
  if (left.length * right.length > LARGEST) throw tooLarge(`can hold in more than ${LARGEST} ways`);
  const both: Way[] = [];
  for (const a of left) {
    for (const b of right) {
      const positive = a.positive | b.positive;
      const negative = a.negative | b.negative;
      if ((positive & negative) !== 0) continue;
      both.push({ positive, negative, next: new Set([...a.next, ...b.next]), delays: a.delays | b.delays });
    }
  }
  return both;
}

/** Removes each way that another way covers. A way covers another if it requires no more, now and later. */
function minimal(ways: readonly Way[]): Way[] {
  const within = (a: number, b: number) => (a & ~b) === 0;
  const covers = (a: Way, b: Way) =>
    within(a.positive, b.positive) &&
    within(a.negative, b.negative) &&
    within(a.delays, b.delays) &&
    [...a.next].every((f) => b.next.has(f));
  return ways.filter((b, j) => !ways.some((a, i) => i !== j && covers(a, b) && !(covers(b, a) && i > j)));
}

type Table = readonly (readonly Transition[])[];

/** Merges the states that no sequence of transitions tells apart (the coarsest bisimulation). */
function merge(table: Table, acceptance: number): Table {
  const { component } = componentsOf(table, acceptance);
  // Acceptance has no meaning on a transition that is on no loop.
  const plain = table.map((list, from) =>
    list.map((t) => (component[from]! < 0 || component[from] !== component[t.to] ? { ...t, accepts: 0 } : t)),
  );
  let classes = plain.map(() => 0);
  for (let count = 1; ; ) {
    const seen = new Map<string, number>();
    const refined = plain.map((list, state) => {
      const rows = list.map((t) => [t.positive, t.negative, t.accepts, classes[t.to]].join());
      const key = [classes[state], ...[...new Set(rows)].sort()].join(' ');
      if (!seen.has(key)) seen.set(key, seen.size);
      return seen.get(key)!;
    });
    classes = refined;
    if (seen.size === count) break;
    count = seen.size;
  }
  const merged: Transition[][] = [];
  plain.forEach((list, state) => {
    if (merged[classes[state]!] !== undefined) return;
    const rows = new Map(
      list.map((t) => ({ ...t, to: classes[t.to]! })).map((t) => [Object.values(t).join(), t] as const),
    );
    merged[classes[state]!] = [...rows.values()];
  });
  return merged;
}

/** Removes the states from which no accepting component can be reached. State 0 stays. */
function trim(table: Table, acceptance: number): Automaton {
  const { component } = componentsOf(table, acceptance);
  const useful = table.map((_, state) => component[state]! >= 0);
  for (let changed = true; changed; ) {
    changed = false;
    table.forEach((list, state) => {
      if (useful[state] || !list.some((t) => useful[t.to])) return;
      useful[state] = true;
      changed = true;
    });
  }
  const number = new Int32Array(table.length);
  let kept = 0;
  table.forEach((_, state) => {
    number[state] = state === 0 || useful[state] ? kept++ : -1;
  });
  const states = table
    .filter((_, state) => number[state]! >= 0)
    .map((list) => list.filter((t) => useful[t.to]).map((t) => ({ ...t, to: number[t.to]! })));
  return { states, acceptance, component: componentsOf(states, acceptance).component };
}

/**
 * Returns the strongly connected component of each state, or -1 when that component cannot accept. With
 * `letter`, only transitions that read it count. The components come from mutual reachability, because
 * automata are small.
 */
function componentsOf(table: Table, acceptance: number, letter?: number): { readonly component: Int32Array } {
  const allowed = table.map((list) => list.filter((t) => letter === undefined || reads(t, letter)));
  const reach = allowed.map((_, start) => {
    const seen = new Set<number>();
    const stack = [start];
    while (stack.length > 0) {
      for (const { to } of allowed[stack.pop()!]!) {
        if (seen.has(to)) continue;
        seen.add(to);
        stack.push(to);
      }
    }
    return seen;
  });
  const component = new Int32Array(table.length).fill(-1);
  for (let state = 0; state < table.length; state++) {
    if (component[state] !== -1 || !reach[state]!.has(state)) continue;
    const members = [...reach[state]!].filter((other) => reach[other]!.has(state));
    let gathered = 0;
    for (const member of members) {
      for (const t of allowed[member]!) if (members.includes(t.to)) gathered |= t.accepts;
    }
    if (gathered === acceptance) for (const member of members) component[member] = state;
  }
  return { component };
}

export function reads(t: Transition, letter: number): boolean {
  return (letter & t.positive) === t.positive && (letter & t.negative) === 0;
}

/** Tells by state whether it accepts the word `letter letter letter …`. */
export function acceptsForever(automaton: Automaton, letter: number): readonly boolean[] {
  const { component } = componentsOf(automaton.states, automaton.acceptance, letter);
  const accepts = automaton.states.map((_, state) => component[state]! >= 0);
  for (let changed = true; changed; ) {
    changed = false;
    automaton.states.forEach((list, state) => {
      if (accepts[state] || !list.some((t) => accepts[t.to] && reads(t, letter))) return;
      accepts[state] = true;
      changed = true;
    });
  }
  return accepts;
}
