import { expect, test } from 'vitest';
import { brokenInvariant } from '../../../machines/naimi-trehel/invariants.ts';
import type { SiteMessage } from '../../../machines/naimi-trehel/messages.ts';
import { type SiteContext, type SiteEvent, siteMachine } from '../../../machines/naimi-trehel/site.ts';
import { take } from '../../../statechart/xstate.ts';
import type { ActorView, StatePredicate } from '../../system/system.ts';
import { siteNames } from '../sites.ts';
import { site } from './observed.ts';
import { properties } from './properties.ts';

/*
 * The rules hold in more states than are reachable, and no step leads out of those: they are inductive. The
 * numbers of allowed states pin the rules themselves, independently of the checker.
 */

interface Site {
  readonly client: string;
  readonly context: SiteContext;
  readonly inbox: readonly SiteMessage[];
}
type State = readonly Site[];

test.each([
  { sites: 2, states: 16 },
  { sites: 3, states: 234 },
])(
  'L, T, Q and one token allow $states states of $sites sites, and no step leads out',
  ({ sites, states }) => {
    const { allowed, leaving } = close(sites, () => true);
    expect(allowed).toBe(states);
    expect(leaving).toBe(0);
  },
);

test('without Q, 18 steps of 3 sites lead out', () => {
  expect(close(3, (name) => name !== 'Q').leaving).toBe(18);
});

/** How many states keep the rules of that kind, and how many of their steps end in one that does not. */
function close(sites: number, kept: (name: string) => boolean) {
  const options = { sites, network: { order: 'unordered-by-target' } } as const;
  const ids = siteNames(options);
  const rules = properties(options).flatMap((property) =>
    property.kind === 'always' && kept(property.name) ? [property.predicate] : [],
  );
  const keeps = (state: State) => {
    const views = state.map(viewOf);
    return rules.every((rule) => judge(rule, views, ids));
  };
  let [allowed, leaving] = [0, 0];
  for (const state of everyState(ids)) {
    if (!keeps(state)) continue;
    allowed++;
    for (const after of successors(state, ids)) if (!keeps(after)) leaving++;
  }
  return { allowed, leaving };
}

/** All that three client states, `last`, `next`, one token and one request for each site can be. */
function* everyState(ids: readonly string[]): Generator<State> {
  const locals = ids.map((self) => everySite(self, ids));
  for (const sites of product(locals)) {
    const held = sites.filter(({ context }) => context.token).length;
    const tokenTo = held === 0 ? ids : held === 1 ? [null] : [];
    for (const target of tokenTo) {
      for (const destinations of product(ids.map(() => [null, ...ids]))) {
        yield sites.map((site) => {
          const { self } = site.context;
          const requests = ids.flatMap((origin, index): SiteMessage[] =>
            destinations[index] === self ? [{ type: 'REQUEST', origin }] : [],
          );
          return { ...site, inbox: target === self ? [...requests, { type: 'TOKEN' }] : requests };
        });
      }
    }
  }
}

/** Those that break no rule by themselves: the others are in no state that keeps them all. */
function everySite(self: string, ids: readonly string[]): readonly Site[] {
  const others = [null, ...ids.filter((id) => id !== self)];
  const all = ['idle', 'requesting', 'inCS'].flatMap((client) =>
    others.flatMap((last) =>
      others.flatMap((next) =>
        [true, false].map((token) => ({
          client,
          context: { self, last, next, token, peers: ids.length - 1 },
          inbox: [],
        })),
      ),
    ),
  );
  return all.filter((local) => brokenInvariant(site(viewOf(local))) === null);
}

/** Every delivery, every ask of an idle client, every release, by the machine itself. */
function* successors(state: State, ids: readonly string[]): Generator<State> {
  for (const [index, site] of state.entries()) {
    const { client, inbox } = site;
    const events: (readonly [SiteEvent, readonly SiteMessage[]])[] = inbox.map((message) => [
      message,
      inbox.filter((other) => other !== message),
    ]);
    if (client === 'idle') events.push([{ type: 'ask' }, inbox]);
    if (client === 'inCS') events.push([{ type: 'release' }, inbox]);
    for (const [event, rest] of events) {
      const { snapshot, effects } = take(siteMachine, snapshotOf(site), event);
      const after = [...state];
      after[index] = { client: snapshot.value.client, context: snapshot.context, inbox: rest };
      for (const { target, message } of effects.filter(({ type }) => type === 'send')) {
        const to = ids.indexOf(target as string);
        after[to] = { ...after[to]!, inbox: [...after[to]!.inbox, message as SiteMessage] };
      }
      yield after;
    }
  }
}

function regionsOf({ client, context }: Site) {
  return { client, routing: context.last === null ? 'root' : 'forwarding', membership: 'member' };
}

function snapshotOf(site: Site) {
  const state = { value: regionsOf(site), context: site.context };
  return siteMachine.resolveState(state as Parameters<typeof siteMachine.resolveState>[0]);
}

function viewOf(site: Site): ActorView {
  return {
    id: site.context.self,
    up: true,
    value: regionsOf(site),
    context: { ...site.context },
    in: (path) => path === `client.${site.client}`,
    inbox: site.inbox.map((message) => ({ source: null, message })),
    timers: [],
  };
}

/** A second opinion on predicates, too: no remembering, no packing. */
function judge(predicate: StatePredicate, views: readonly ActorView[], ids: readonly string[]): boolean {
  switch (predicate.kind) {
    case 'every':
      return views.every(predicate.is);
    case 'count':
      return predicate.is(views.reduce((sum, view) => sum + predicate.of(view), 0));
    case 'tally': {
      const named = views.flatMap(predicate.names);
      return ids.every((id) => predicate.is(named.filter((other) => other === id).length));
    }
    case 'relation':
      return predicate.holds(Int32Array.from(views, (view) => predicate.of(view, (id) => ids.indexOf(id))));
    default:
      throw new Error(`No rule is of the kind ${predicate.kind}: judge it here too.`);
  }
}

function* product<Item>(choices: readonly (readonly Item[])[]): Generator<readonly Item[]> {
  const [first, ...rest] = choices;
  if (first === undefined) yield [];
  else for (const item of first) for (const others of product(rest)) yield [item, ...others];
}
