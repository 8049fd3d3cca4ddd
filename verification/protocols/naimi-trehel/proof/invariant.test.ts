import { expect, test } from 'vitest';
import type { Formula, Term } from '../../../proof/formula.ts';
import { evaluate } from '../../../proof/testing/evaluate.ts';
import { before, invariant, type RelationName, tokenSomewhere, witnessed } from './invariant.ts';

/*
 * The proof's invariant is the one of docs/protocol.md: of all states of two and three sites it admits as many as are listed there. States
 * are numbers here, and the closures are computed; no solver has a part in it.
 */

interface Site {
  readonly client: 'idle' | 'requesting' | 'inCS';
  readonly last: number | null;
  readonly next: number | null;
  readonly token: boolean;
}

interface World {
  readonly sites: readonly Site[];
  /** For each origin, the target of its REQUEST; `null` when none is on its way. */
  readonly requests: readonly (number | null)[];
  /** Where a TOKEN is on its way to. */
  readonly tokensTo: readonly boolean[];
}

function* product<Item>(lists: readonly (readonly Item[])[]): Generator<readonly Item[]> {
  const [first, ...rest] = lists;
  if (first === undefined) yield [];
  else for (const item of first) for (const others of product(rest)) yield [item, ...others];
}

/** Every state of two sites; of three, those with one token whose sites satisfy, each alone, L2 and L3. */
function* worlds(count: number): Generator<World> {
  const all = Array.from({ length: count }, (_, site) => site);
  const orNil = [null, ...all];
  const locals = (['idle', 'requesting', 'inCS'] as const).flatMap((client) =>
    orNil.flatMap((last) =>
      orNil.flatMap((next) => [false, true].map((token): Site => ({ client, last, next, token }))),
    ),
  );
  const nobody: Site = { client: 'idle', last: null, next: null, token: false };
  const alone = invariant(before)
    .filter(({ name, holds }) => /^L[23]/.test(name) && holds.length === 1)
    .map(({ holds }) => written(holds));
  const isPossible = (site: Site, self: number) => {
    const sites = all.map((other) => (other === self ? site : nobody));
    const world = { sites, requests: all.map(() => null), tokensTo: all.map(() => false) };
    return alone.every((one) => holdsAt(one, world, [self]));
  };
  const isSmall = count === 2;
  const possible = all.map((self) => locals.filter((site) => isSmall || isPossible(site, self)));
  for (const sites of product(possible)) {
    const tokens = sites.filter(({ token }) => token).length;
    for (const tokensTo of product(all.map(() => [false, true]))) {
      if (!isSmall && tokens + tokensTo.filter((to) => to).length !== 1) continue;
      for (const requests of product(all.map(() => orNil))) yield { sites, requests, tokensTo };
    }
  }
}

interface Written {
  readonly arity: number;
  readonly formula: Formula;
}

/** Written once, with its sites called x0, x1 and so on. */
function written(holds: (...sites: Term[]) => Formula): Written {
  const terms = Array.from({ length: holds.length }, (_, index) => `x${index}`);
  return { arity: terms.length, formula: holds(...terms) };
}

function holdsAt({ formula }: Written, world: World, sites: readonly number[]): boolean {
  const is = relationsOf(world);
  return evaluate(
    formula,
    (relation, of) => is[relation as RelationName](of[0]!, of[1]!),
    (term) => sites[Number(term.slice(1))]!,
  );
}

const memo = new WeakMap<World, Readonly<Record<RelationName, (x: number, y: number) => boolean>>>();

function relationsOf(world: World): Readonly<Record<RelationName, (x: number, y: number) => boolean>> {
  let known = memo.get(world);
  if (known === undefined) {
    known = compute(world);
    memo.set(world, known);
  }
  return known;
}

function compute({
  sites,
  requests,
  tokensTo,
}: World): Readonly<Record<RelationName, (x: number, y: number) => boolean>> {
  const queued = (y: number) => sites.some(({ next }) => next === y);
  const queue = closure(sites.length, (x, y) => sites[x]!.next === y);
  const tail = (x: number, y: number) => queue(x, y) && sites[y]!.next === null;
  const eff = (x: number, y: number) =>
    sites[x]!.last === null
      ? sites.some((_, head) => queue(head, x) && !queued(head) && requests[head] === y)
      : sites[x]!.last === y;
  return {
    idle: (x) => sites[x]!.client === 'idle',
    requesting: (x) => sites[x]!.client === 'requesting',
    withdrawn: () => false,
    inCS: (x) => sites[x]!.client === 'inCS',
    token: (x) => sites[x]!.token,
    tokenTo: (x) => tokensTo[x]!,
    hasLast: (x) => sites[x]!.last !== null,
    last: (x, y) => sites[x]!.last === y,
    hasNext: (x) => sites[x]!.next !== null,
    next: (x, y) => sites[x]!.next === y,
    hasRequest: (x) => requests[x] !== null,
    requestTo: (x, y) => requests[x] === y,
    queued,
    path: closure(sites.length, eff),
    queue,
    tail,
  };
}

/** Reflexive and transitive; computed when it is asked for first. */
function closure(count: number, edge: (x: number, y: number) => boolean): (x: number, y: number) => boolean {
  let known: readonly (readonly boolean[])[] | undefined;
  return (x, y) => {
    known ??= closed(count, edge);
    return known[x]![y]!;
  };
}

function closed(count: number, edge: (x: number, y: number) => boolean): readonly (readonly boolean[])[] {
  const all = Array.from({ length: count }, (_, site) => site);
  const reached = all.map((x) => all.map((y) => x === y || edge(x, y)));
  for (const z of all)
    for (const x of all) for (const y of all) if (reached[x]![z]! && reached[z]![y]!) reached[x]![y] = true;
  return reached;
}

// The conjunct with the fewest variables comes first: most states break it.
const universal = invariant(before)
  .map(({ holds }) => written(holds))
  .sort((left, right) => left.arity - right.arity);
const existential = witnessed(before).map(({ where, exists }) => ({
  where: written((x) => where(x)),
  exists: written((x, y) => exists(x, y)),
}));
const token = written((x) => tokenSomewhere(before, x));

function satisfies(world: World): boolean {
  const all = world.sites.map((_, site) => site);
  const everywhere = (one: Written) =>
    [...product(Array.from({ length: one.arity }, () => all))].every((sites) => holdsAt(one, world, sites));
  return (
    all.some((site) => holdsAt(token, world, [site])) &&
    universal.every(everywhere) &&
    existential.every(({ where, exists }) =>
      all.every((x) => !holdsAt(where, world, [x]) || all.some((y) => holdsAt(exists, world, [x, y]))),
    )
  );
}

test.each([
  [2, 16],
  [3, 234],
])('of %i sites, %i states satisfy L, T and Q with one token', (count, expected) => {
  let found = 0;
  for (const world of worlds(count)) if (satisfies(world)) found++;
  expect(found).toBe(expected);
});
