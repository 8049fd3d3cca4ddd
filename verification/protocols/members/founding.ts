import type { AnyStateMachine } from 'xstate';
import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import {
  type Founding,
  type FoundingContext,
  type FoundingDisk,
  type FoundingEffect,
  type FoundingEvent,
  foundingMachine,
  isSameFounding,
} from '../../../machines/members/founding.ts';
import { always, every, reachable, relation, some } from '../../system/properties.ts';
import type {
  ActorSpec,
  ActorView,
  EnvironmentEvent,
  History,
  Network,
  System,
} from '../../system/system.ts';
import { type Options, siteNames } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';

export interface FoundingOptions {
  /** The founders by name; for each the ids that come under that name, one after the other. The first proposes. */
  readonly ids: Readonly<Record<SiteId, readonly string[]>>;
  /** A proposer that is refused proposes no higher generation than this. Default: 3. */
  readonly generations?: number;
  /** How often each id crashes, and starts again with its disk. Default: 0. */
  readonly crashes?: number;
  /**
   * The proposer crashes for good at some time, and any message may be lost. Default: false: messages are never used up, and
   * each may be late, come again, come in any order, or never.
   */
  readonly proposerDies?: boolean;
  /** The other founders meet nobody. They need no meeting to accept or to tell what is founded. Default: false. */
  readonly onlyProposersMeet?: boolean;
  /** A site that is no founder, and the id with which each founder meets it once, at any time. Default: none. */
  readonly joiner?: { readonly self: SiteId; readonly id: string };
  /** At each of these ids an operator founds anew, at any time at which it knows of a founding; as which id. Default: none. */
  readonly anew?: Readonly<Record<string, string>>;
  /** `machine` runs in place of the real one: a mutant. */
  readonly machine?: AnyStateMachine;
}

/**
 * The founding of a cluster. Each id is an actor: a site whose data was lost comes back as another actor of the same
 * name, and both are at work at any time, which is more than can happen. The network does not decide which sites have
 * met: any site meets any id at any time.
 */
export function founding(options: FoundingOptions): System {
  const { ids, generations = 3, crashes = 0, proposerDies = false, machine = foundingMachine } = options;
  const { anew = {}, onlyProposersMeet = false, joiner } = options;
  const founders = Object.keys(ids);
  const proposer = founders[0]!;
  const all = Object.entries(ids).flatMap(([self, own]) => own.map((id) => ({ self, id })));
  const refused = machine.implementations.guards['isRefused'] as (at: object, params: unknown) => boolean;
  const bounded = machine.provide({
    guards: {
      isRefused: (at, params) =>
        refused(at, params) && (at.event as { readonly generation: number }).generation < generations,
    },
  });
  const actor = ({ self, id }: (typeof all)[number]): ActorSpec => {
    const input = (disk: FoundingDisk | null) => ({ self, id: idOn(disk), founders, proposer, disk });
    const idOn = (disk: FoundingDisk | null) => (disk?.ids[self] === anew[id] && anew[id]) || id;
    const meetings = all
      .filter((other) => other.self !== self && (!onlyProposersMeet || self === proposer))
      .map(
        (other): EnvironmentEvent => ({
          event: { type: 'met', peer: other.self, id: other.id } as FoundingEvent,
        }),
      );
    const found: EnvironmentEvent = {
      event: { type: 'found', generation: 1 } as FoundingEvent,
      // One that was started again proposes once more.
      when: (site) => (contextOf(site).accepted?.generation ?? 0) < generations + crashes,
    };
    const foundAnew: EnvironmentEvent = {
      event: { type: 'foundAnew', generation: 1, id: anew[id] } as FoundingEvent,
      when: (site) => site.in('founded'),
      times: 1,
    };
    return {
      machine: bounded,
      input: input(null),
      environment: [
        ...meetings,
        ...(joiner
          ? [{ event: { type: 'met', peer: joiner.self, id: joiner.id } as FoundingEvent, times: 1 }]
          : []),
        ...(self === proposer ? [found] : []),
        ...(id in anew ? [foundAnew] : []),
      ],
      ...(proposerDies && self === proposer ? { crash: { times: 1 } } : {}),
      ...(crashes === 0
        ? {}
        : {
            crash: { times: crashes },
            restart: { input: (disk) => input(disk as FoundingDisk | null) },
          }),
    };
  };
  const joins = joiner && {
    [joiner.id]: { machine: bounded, input: { ...joiner, founders: [], proposer, disk: null } },
  };
  const actors = { ...Object.fromEntries(all.map((one) => [one.id, actor(one)])), ...joins };
  const network: Network = proposerDies
    ? { order: 'unordered', loss: 'unbounded', capacity: 1 }
    : { order: 'unordered', duplication: 'persistent' };
  return {
    name: 'founding',
    actors,
    network,
    history: founded,
    // A report to the site, which ends.
    outside: ['excluded', 'superseded'],
    properties: [...properties(ids, anew), nothingUnexpected(actors[all[0]!.id]!, network)],
  };
}

/** The founding by as many founders as sites are asked for; the first comes back without its data. */
export function foundingOf(options: Options): System {
  const ids = siteNames(options).map(
    (name, index) => [name, index === 0 ? ['a1', 'a2'] : [`${name}1`]] as const,
  );
  return founding({ ids: Object.fromEntries(ids), generations: 2 });
}

/** The founding by as many founders as sites are asked for; at the second one an operator founds anew. */
export function foundingAnewOf(options: Options): System {
  const ids = Object.fromEntries(siteNames(options).map((name) => [name, [`${name}1`]] as const));
  return { ...founding({ ids, anew: { b1: 'b9' } }), name: 'founding-anew' };
}

/** For each founding the ids that have accepted it, and those that have taken it for accepted by all, or founded it anew. */
interface Founded {
  readonly accepted: Readonly<Record<string, readonly string[]>>;
  readonly founded: Readonly<Record<string, readonly string[]>>;
  /** Ids that have been told that their cluster was founded anew. */
  readonly superseded: readonly string[];
  /** For each id that was told of a founding without it, the generation of the one that it heeded last. */
  readonly heeded: Readonly<Record<string, number>>;
  /** Has one of them turned to an earlier founding? */
  readonly turned: boolean;
}

const founded: History = {
  initial: { accepted: {}, founded: {}, superseded: [], heeded: {}, turned: false } satisfies Founded,
  effects: ['persist', 'superseded', 'excluded'],
  after: (history, id, effects) =>
    (effects as readonly Heard[]).reduce((all, effect) => noted(all, id, effect), history as Founded),
};

type Heard = NamedAction & Extract<FoundingEffect, { type: 'persist' | 'superseded' | 'excluded' }>;

function noted(all: Founded, id: string, heard: Heard): Founded {
  if (heard.type === 'superseded')
    return { ...all, superseded: [...new Set([...all.superseded, id])].sort() };
  if (heard.type === 'excluded') {
    const { generation } = heard;
    const turned = all.turned || generation < (all.heeded[id] ?? 0);
    return { ...all, heeded: sorted({ ...all.heeded, [id]: generation }), turned };
  }
  const { generation, ids, stage } = heard;
  if (stage === 'superseded') return all;
  const list = stage === 'accepted' ? 'accepted' : 'founded';
  const key = keyOf({ generation, ids });
  const before = all[list][key] ?? [];
  return before.includes(id) ? all : { ...all, [list]: { ...all[list], [key]: [...before, id].sort() } };
}

const keyOf = ({ generation, ids }: Founding) => JSON.stringify({ generation, ids: sorted(ids) });

const sorted = <Value>(of: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(of).sort(([x], [y]) => (x < y ? -1 : 1)));

const contextOf = ({ context }: ActorView) => context as unknown as FoundingContext;
const isFounder = (site: ActorView) => contextOf(site).self in contextOf(site).founders;
const isProposer = (site: ActorView) => contextOf(site).self === contextOf(site).proposer;
const foundings = (history: unknown) =>
  Object.entries((history as Founded).founded).map(([text, by]) => ({
    by,
    ...(JSON.parse(text) as Founding),
  }));

const supersedes = ({ generation }: Founding, history: unknown) =>
  foundings(history).some((one) => one.generation > generation);

function properties(ids: FoundingOptions['ids'], anew: object): System['properties'] {
  const all = Object.values(ids).flat();
  /** Its place among all ids, from 1; 0: the site is not so. */
  const placed = (isSo: (site: ActorView) => boolean) => (site: ActorView) =>
    isSo(site) ? all.indexOf(site.id) + 1 : 0;
  /** The number of a founding, one for each; 0: none. */
  const numbered = (one: Founding | null) =>
    one === null
      ? 0
      : Object.values(sorted(one.ids)).reduce(
          (number, id) => number * (all.length + 1) + all.indexOf(id) + 1,
          one.generation,
        );
  const isAnew = (one: Founding) => Object.values(one.ids).some((id) => Object.values(anew).includes(id));
  const nothing = () => 0;
  const told = ({ history }: { readonly history?: unknown }) => JSON.stringify(history);
  const several = Object.values(ids).some(({ length }) => length > 1);
  return [
    always(
      'every founder has accepted what is founded',
      relation(nothing, (_, history) =>
        Object.entries((history as Founded).founded).every(([text]) => {
          if (isAnew(JSON.parse(text) as Founding)) return true;
          const by = (history as Founded).accepted[text] ?? [];
          return Object.values((JSON.parse(text) as Founding).ids).every((id) => by.includes(id));
        }),
      ),
      told,
    ),
    always(
      'no id that knows of a founding is part of a later one',
      relation(nothing, (_, history) =>
        foundings(history).every((one) =>
          foundings(history).every(
            (other) =>
              other.generation < one.generation ||
              isSameFounding(one, other) ||
              (other.generation > one.generation &&
                one.by.every((id) => !Object.values(other.ids).includes(id))),
          ),
        ),
      ),
      told,
    ),
    always(
      'a founding names every founder',
      relation(nothing, (_, history) =>
        foundings(history).every((one) => isAnew(one) || Object.keys(ids).every((name) => name in one.ids)),
      ),
      told,
    ),
    always(
      'a site takes part in a founding that names its id',
      every((site) => {
        const { accepted, self, id } = contextOf(site);
        return !site.in('founded') || accepted!.ids[self] === id;
      }),
    ),
    always(
      'a majority knows of a founding before a lock is used',
      relation(
        (site) => (site.in('founded.settled') ? contextOf(site).accepted!.generation : 0),
        (settled, history) =>
          settled.every(
            (generation) =>
              generation === 0 ||
              foundings(history).some(
                (one) => one.generation === generation && one.by.length * 2 > Object.keys(one.ids).length,
              ),
          ),
      ),
      told,
    ),
    always(
      'an id that was superseded takes no part any more',
      relation(
        placed((site) => site.in('founded') && contextOf(site).id === site.id),
        (taking, history) =>
          (history as Founded).superseded.every((id) => !taking.includes(all.indexOf(id) + 1)),
      ),
      told,
    ),
    always(
      'no id that accepted what is founded joins another cluster',
      relation(
        (site) => (site.in('excluded') ? numbered(contextOf(site).accepted) : 0),
        (accepted, history) => foundings(history).every((one) => !accepted.includes(numbered(one))),
      ),
      told,
    ),
    always(
      'no site turns from a later founding to an earlier one',
      relation(nothing, (_, history) => !(history as Founded).turned),
      told,
    ),
    reachable(
      'the cluster is founded',
      some((site) => site.in('founded.settled')),
    ),
    ...(Object.keys(anew).length > 0
      ? [
          always(
            'only a later founding supersedes one',
            relation(
              placed((site) => site.in('superseded')),
              (superseded, history) =>
                foundings(history).every(
                  (one) =>
                    supersedes(one, history) ||
                    superseded.every((place) => !one.by.includes(all[place - 1]!)),
                ),
            ),
            told,
          ),
          reachable(
            'a founding anew supersedes an id',
            some((site) => site.in('superseded')),
          ),
        ]
      : []),
    ...(several
      ? [
          reachable(
            'two foundings are accepted by all',
            relation(nothing, (_, history) => foundings(history).length > 1),
          ),
          reachable(
            'an id is excluded',
            some((site) => site.in('excluded')),
          ),
        ]
      : []),
  ];
}

/** The states that must stay possible, as `possible` of `check/` asks it: from every state with `from`, one with `to`. */
export const foundingPossibilities = {
  'all founders can come to know that the cluster is founded': {
    from: every(() => true),
    to: every((site) => site.in('founded.settled')),
  },
  'a founder that knows of a founding can tell the others, whatever they accepted since': {
    from: some((site) => site.in('founded') && !isProposer(site)),
    to: every((site) => site.in('founded.settled') || isProposer(site)),
  },
  'a site that is no founder can come to know of the cluster, though it is met no more': {
    from: some((site) => site.in('founded.settled')),
    to: every((site) => isFounder(site) || site.in('excluded')),
  },
  'every other site can come to know that the cluster was founded anew': {
    from: relation(
      (site) => (contextOf(site).id === site.id ? 0 : 1),
      (isAnew) => isAnew.includes(1),
    ),
    to: every((site) => contextOf(site).id !== site.id || site.in('superseded') || site.in('excluded')),
  },
  'once a lock may be used, the cluster goes on without the proposer': {
    from: relation(
      () => 0,
      (_, history) => foundings(history).some(({ by, ids }) => by.length * 2 > Object.keys(ids).length),
    ),
    to: every((site) => !site.up || site.in('founded.settled')),
  },
} as const;
