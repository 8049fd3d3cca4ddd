import { and, assign, not, or, type SnapshotFrom, setup } from 'xstate';
import type { SiteId } from '../actor.ts';

/**
 * The sites that a cluster begins with. `ids` names, for each founder, the random id that it keeps with its data: an emptied
 * data directory is another id, and so another site.
 *
 * `generation` is the first part of every fence: a cluster that is founded again after the loss of all its data has a
 * higher one, so that no resource takes its grants for old ones.
 */
export interface Founding {
  readonly generation: number;
  readonly ids: Readonly<Record<SiteId, string>>;
}

/**
 * The founding that a founder has accepted, on its disk before it says so.
 *
 * - `accepted`: the other founders may not have accepted it.
 * - `founded`: every founder has.
 * - `settled`: a majority of the founders have `founded` on their disks.
 * - `superseded`: it is not this id's: the cluster that this id belonged to was founded anew without it.
 */
export interface FoundingDisk extends Founding {
  readonly stage: 'accepted' | 'founded' | 'settled' | 'superseded';
}

/**
 * Between founders. `proposer` and `voter` are ids.
 *
 * - `PROPOSE`: the proposer asks every founder to accept this founding.
 * - `ACCEPTED`: `voter` accepts it, and will accept no founding of this generation or below any more.
 * - `REFUSED`: a founding of `generation` has been accepted here, which is not below the proposed one.
 * - `FOUNDED`: every founder has accepted this, and `knower`, an id, has that on its disk.
 */
export type FoundingMessage =
  | ({ readonly type: 'PROPOSE'; readonly proposer: string } & Founding)
  | { readonly type: 'ACCEPTED'; readonly generation: number; readonly voter: string }
  | { readonly type: 'REFUSED'; readonly generation: number }
  | ({ readonly type: 'FOUNDED'; readonly knower: string } & Founding);

/**
 * From the driver.
 *
 * - `met`: `peer` is connected, and has this id. Said again for every connection, after which nothing that was sent on
 *   an earlier one need have arrived.
 * - `found`: to the proposer: `generation` is a number above that of every earlier cluster (by default from the wall clock). It
 *   does nothing until all founders are known.
 * - `foundAnew`: an operator says that a majority is lost for good: this site alone begins the cluster again, under another `id`,
 *   which nobody knows. `generation` as in `found`.
 */
export type FoundingInput =
  | { readonly type: 'met'; readonly peer: SiteId; readonly id: string }
  | { readonly type: 'found'; readonly generation: number }
  | { readonly type: 'foundAnew'; readonly generation: number; readonly id: string };

export type FoundingEvent = FoundingInput | FoundingMessage;

/**
 * For the driver; each is a named action whose params are the other keys. `target` is an id.
 *
 * - `persist`: on the disk before any later effect of the same step is run.
 * - `founded`: the cluster exists, and a majority of the founders know it; its locks may be used.
 * - `excluded`: the cluster was founded without this id. It is no member, unless all of its founders are gone, and the
 *   rest founds another.
 * - `superseded`: the cluster that this id belonged to was founded anew. It takes no part in either, now and after a restart.
 */
export type FoundingEffect =
  | { readonly type: 'send'; readonly target: string; readonly message: FoundingMessage }
  | ({ readonly type: 'persist' } & FoundingDisk)
  | ({ readonly type: 'founded' } & Founding)
  | ({ readonly type: 'excluded' } & Founding)
  | ({ readonly type: 'superseded' } & Founding);

export interface FoundingContext {
  readonly self: SiteId;
  readonly id: string;
  readonly founders: Readonly<Record<SiteId, true>>;
  /** The one founder that proposes: the same at every site. */
  readonly proposer: SiteId;
  /** The ids that this site has met under the founders' names, its own among them. */
  readonly known: Readonly<Record<SiteId, string>>;
  /** The ids of other sites that were met, which wait to hear of the cluster. */
  readonly joiners: Readonly<Record<string, true>>;
  /** The founding of the highest generation that was accepted here. Persistent. */
  readonly accepted: Founding | null;
  /** The highest generation of the foundings without this id that it was told of; 0: of none. */
  readonly told: number;
  /** At the proposer: the ids that have accepted `accepted`. */
  readonly voters: Readonly<Record<string, true>>;
  /** The ids that are known to know that `accepted` is founded. */
  readonly knowers: Readonly<Record<string, true>>;
}

export interface FoundingSettings {
  readonly self: SiteId;
  /** Random, made at the first start, kept with the data; in memory only, another one at every start. */
  readonly id: string;
  /** The names of all founders; `self` is one of them. */
  readonly founders: readonly SiteId[];
  /** The founder that proposes, the same at every site. */
  readonly proposer: SiteId;
  /** The data that an earlier run of this id left. `null`: there was no earlier run. */
  readonly disk: FoundingDisk | null;
}

const empty = { voters: {}, knowers: {} } as const;

type At<Event = FoundingEvent> = { readonly context: FoundingContext; readonly event: Event };
type Of<Type extends FoundingEvent['type']> = Extract<FoundingEvent, { type: Type }>;
type Send = { readonly target: string; readonly message: FoundingMessage };

const foundingOf = ({ generation, ids }: Founding): Founding => ({ generation, ids });

export function isSameFounding(one: Founding, other: Founding): boolean {
  const names = Object.keys(one.ids);
  return (
    one.generation === other.generation &&
    names.length === Object.keys(other.ids).length &&
    names.every((name) => one.ids[name] === other.ids[name])
  );
}

/** Reports whether every site of the proposed founding has been met under the id that it names. */
const isOfKnown = ({ accepted, known }: FoundingContext) =>
  accepted !== null && Object.entries(known).every(([name, id]) => accepted.ids[name] === id);

/** The stage that a starting site finds on its disk. */
const stageOf = (event: FoundingEvent) => (event as { readonly input?: FoundingSettings }).input?.disk?.stage;

const persist = (stage: FoundingDisk['stage']) =>
  ({
    type: 'persist',
    params: ({ context }: At): FoundingDisk => ({ ...context.accepted!, stage }),
  }) as const;

const send = <Type extends FoundingEvent['type']>(to: (at: At<Of<Type>>) => Send) =>
  ({ type: 'send', params: to }) as const;

const sayFounded = (target: (event: Of<'met' | 'PROPOSE'>) => string) =>
  send<'met' | 'PROPOSE'>(({ context, event }) => ({
    target: target(event),
    message: { type: 'FOUNDED', knower: context.id, ...context.accepted! },
  }));

export const foundingSetup = setup({
  types: {} as { context: FoundingContext; events: FoundingEvent; input: FoundingSettings },
  actions: {
    send: (_, _params: Send) => {},
    persist: (_, _params: FoundingDisk) => {},
    founded: (_, _params: Founding) => {},
    excluded: (_, _params: Founding) => {},
    superseded: (_, _params: Founding) => {},
    meet: assign(({ context: { known } }, { peer, id }: { peer: SiteId; id: string }) => ({
      known: { ...known, [peer]: id },
    })),
    noteJoiner: assign(({ context: { joiners } }, { id }: { id: string }) => ({
      joiners: { ...joiners, [id]: true as const },
    })),
    /**
     * The number is above everything that this site has accepted, which it may have proposed itself, for ids
     * that are gone, and above everything that it was told of.
     */
    propose: assign(({ context: { id, known, accepted, told } }, { least }: { least: number }) => ({
      accepted: { generation: Math.max(least, (accepted?.generation ?? 0) + 1, told + 1), ids: known },
      ...empty,
      voters: { [id]: true as const },
    })),
    accept: assign((_, founding: Founding) => ({ accepted: founding, ...empty })),
    /** M9: above all that this site knows of, whatever the clock says. */
    beginAnew: assign(({ context: { self, accepted } }, { least, id }: { least: number; id: string }) => {
      const ids = { [self]: id };
      const generation = Math.max(least, accepted!.generation + 1);
      const alone = { founders: { [self]: true as const }, proposer: self, known: ids };
      return { id, ...alone, accepted: { generation, ids }, ...empty };
    }),
    hearOf: assign((_, { generation }: { generation: number }) => ({ told: generation })),
    countAcceptance: assign(({ context: { voters } }, { voter }: { voter: string }) => ({
      voters: { ...voters, [voter]: true as const },
    })),
    /** Counts this site and `knower` as sites that know of the founding. */
    countKnower: assign(({ context: { id, knowers } }, { knower }: { knower: string }) => ({
      knowers: { ...knowers, [id]: true as const, [knower]: true as const },
    })),
  },
  guards: {
    wasFounded: ({ event }) => stageOf(event) === 'founded',
    wasSettled: ({ event }) => stageOf(event) === 'settled',
    wasSuperseded: ({ event }) => stageOf(event) === 'superseded',
    isFounder: ({ context: { founders }, event }) => event.type === 'met' && event.peer in founders,
    isProposer: ({ context: { self, proposer } }) => self === proposer,
    knowsAll: ({ context: { founders, known } }) => Object.keys(founders).every((name) => name in known),
    isNewToProposal: ({ context }) => !isOfKnown(context),
    /** The proposal names this very id, and its generation is above every accepted one. */
    acceptable: ({ context: { self, id, accepted }, event }) =>
      event.type === 'PROPOSE' && event.ids[self] === id && event.generation > (accepted?.generation ?? 0),
    outbid: ({ context: { accepted }, event }) =>
      event.type === 'PROPOSE' && event.generation <= (accepted?.generation ?? 0),
    isRefused: ({ context: { accepted }, event }) =>
      event.type === 'REFUSED' && event.generation >= accepted!.generation,
    ofThisProposal: ({ context: { accepted }, event }) =>
      event.type === 'ACCEPTED' && event.generation === accepted!.generation,
    acceptedByAll: ({ context: { accepted, voters } }) =>
      accepted !== null && Object.values(accepted.ids).every((id) => id in voters),
    isAccepted: ({ context: { accepted }, event }) =>
      event.type === 'FOUNDED' && accepted !== null && isSameFounding(accepted, event),
    /**
     * The founding is one that this site accepted before the present one, which can never be complete: `knower`, whose acceptance it
     * needs, accepts none any more. News of any other site must not undo the later acceptance.
     */
    wasAccepted: ({ context: { self, id, accepted }, event }) =>
      event.type === 'FOUNDED' &&
      accepted !== null &&
      event.ids[self] === id &&
      Object.values(accepted.ids).includes(event.knower),
    knownByMajority: ({ context: { accepted, knowers } }) => {
      const ids = Object.values(accepted!.ids);
      return ids.filter((id) => id in knowers).length * 2 > ids.length;
    },
    /** M9: of two foundings without it, a site heeds the later one, whichever it is told of first. */
    excludes: ({ context: { self, id, told }, event }) =>
      event.type === 'FOUNDED' && event.ids[self] !== id && event.generation >= told,
    /** M9: it is later than the founding that this id accepted, and without it. */
    supersedes: ({ context: { self, id, accepted }, event }) =>
      event.type === 'FOUNDED' &&
      accepted !== null &&
      event.generation > accepted.generation &&
      event.ids[self] !== id,
  },
});

const proposeToAll = foundingSetup.enqueueActions(({ context: { id, accepted }, enqueue }) => {
  const message = { type: 'PROPOSE', proposer: id, ...accepted! } as const;
  for (const target of Object.values(accepted!.ids)) {
    if (target !== id) enqueue({ type: 'send', params: { target, message } });
  }
});

const announce = foundingSetup.enqueueActions(({ context: { id, joiners, accepted }, enqueue }) => {
  const message = { type: 'FOUNDED', knower: id, ...accepted! } as const;
  for (const target of [...Object.values(accepted!.ids), ...Object.keys(joiners)]) {
    if (target !== id) enqueue({ type: 'send', params: { target, message } });
  }
});

const founded = { type: 'founded', params: ({ context }: At): Founding => context.accepted! } as const;

const superseded = {
  type: 'superseded',
  params: ({ context }: At): Founding => context.accepted!,
} as const;

const supersede = {
  guard: 'supersedes',
  target: '#founding.superseded',
  actions: [
    { type: 'accept', params: ({ event }: At<Of<'FOUNDED'>>) => foundingOf(event) },
    persist('superseded'),
    superseded,
  ],
} as const;

const foundAnew = {
  target: '#founding.founded.settled',
  actions: [
    {
      type: 'beginAnew',
      params: ({ event: { generation, id } }: At<Of<'foundAnew'>>) => ({ least: generation, id }),
    },
    persist('settled'),
  ],
} as const;

const countKnower = {
  type: 'countKnower',
  params: ({ context, event }: At) => ({ knower: event.type === 'FOUNDED' ? event.knower : context.id }),
} as const;

const meet = { type: 'meet', params: ({ event }: At<Of<'met'>>) => event } as const;

const noteJoiner = { type: 'noteJoiner', params: ({ event }: At<Of<'met'>>) => event } as const;

const propose = {
  target: '#founding.proposing',
  actions: [
    { type: 'propose', params: ({ event }: At<Of<'found'>>) => ({ least: event.generation }) },
    persist('accepted'),
    proposeToAll,
  ],
} as const;

/** The proposal that was made in this run names a site that has other data by now, or this site was told of another founding. */
const proposeAnew = { guard: and(['isProposer', 'knowsAll', 'isNewToProposal']), ...propose } as const;

/**
 * The founding of a cluster (protocol.md, section 4, M8) by all of its founders. Each accepts one proposal that names
 * the ids of all. So no founder starts late and takes itself for one of a cluster that others have begun without it.
 *
 * One founder proposes. When all have accepted, each founder that knows it tells all others; and when a majority knows it, the
 * cluster is founded: any minority may be lost then, and the others still come to know of it.
 *
 * A founder that loses its data before the founding is known to any of the others comes back under another id, and is
 * proposed anew, with a higher generation: a founder that has accepted, and does not know of the founding, accepts
 * again. A proposer that was started again proposes anew too: it counts the acceptances of the present run alone. A founder that knows of
 * a founding never accepts another. So if two foundings were both accepted by all, the lower one is known only to ids that the higher one
 * has replaced; and a founder that accepted the higher one learns of the lower one from any site that the higher one names.
 *
 * Where a majority of the voters is lost for good, an operator has one that is left begin again (M9): alone, as another id, under
 * a higher generation. It tells every site that it meets, and each that belonged to the cluster before is out of it for good.
 */
export const foundingMachine = foundingSetup.createMachine({
  id: 'founding',
  context: ({ input: { self, id, founders, proposer, disk } }): FoundingContext => ({
    self,
    id,
    founders: Object.fromEntries(founders.map((founder) => [founder, true] as const)),
    proposer,
    known: { [self]: id },
    joiners: {},
    accepted: disk && foundingOf(disk),
    told: 0,
    ...empty,
  }),
  initial: 'starting',
  on: {
    // A site that is no founder may never be met again, so it is told when the cluster is founded.
    met: [{ guard: 'isFounder', actions: meet }, { actions: noteJoiner }],
    PROPOSE: [
      {
        guard: 'acceptable',
        target: '.waiting',
        actions: [
          { type: 'accept', params: ({ event }) => foundingOf(event) },
          persist('accepted'),
          send<'PROPOSE'>(({ context, event }) => ({
            target: event.proposer,
            message: { type: 'ACCEPTED', generation: event.generation, voter: context.id },
          })),
        ],
      },
      {
        guard: 'outbid',
        actions: send<'PROPOSE'>(({ context, event }) => ({
          target: event.proposer,
          message: { type: 'REFUSED', generation: context.accepted!.generation },
        })),
      },
    ],
    FOUNDED: [
      // The founding that it accepted may be complete. Only the proposer could rule that out.
      { ...supersede, guard: and(['supersedes', not('isProposer')]) },
      {
        guard: or(['isAccepted', 'wasAccepted']),
        target: '.founded',
        actions: [
          { type: 'accept', params: ({ event }) => foundingOf(event) },
          persist('founded'),
          announce,
          countKnower,
        ],
      },
      {
        guard: 'excludes',
        target: '.excluded',
        actions: [
          { type: 'hearOf', params: ({ event }) => event },
          { type: 'excluded', params: ({ event }) => foundingOf(event) },
        ],
      },
      {},
    ],
  },
  states: {
    starting: {
      always: [
        { guard: 'wasSettled', target: 'founded.settled', actions: founded },
        { guard: 'wasFounded', target: 'founded', actions: countKnower },
        { guard: 'wasSuperseded', target: 'superseded', actions: superseded },
        { target: 'waiting' },
      ],
    },
    // A proposal of an earlier run is no longer waited for: who accepted it is not on the disk.
    waiting: { on: { found: { guard: and(['isProposer', 'knowsAll']), ...propose } } },
    proposing: {
      always: {
        guard: 'acceptedByAll',
        target: 'founded',
        actions: [persist('founded'), announce, countKnower],
      },
      on: {
        found: proposeAnew,
        // The connection is a new one, and the proposal may have been lost with the old one.
        met: {
          guard: 'isFounder',
          actions: [
            meet,
            send<'met'>(({ context, event }) => ({
              target: event.id,
              message: { type: 'PROPOSE', proposer: context.id, ...context.accepted! },
            })),
          ],
        },
        ACCEPTED: {
          guard: 'ofThisProposal',
          actions: { type: 'countAcceptance', params: ({ event }) => event },
        },
        REFUSED: {
          guard: 'isRefused',
          target: 'proposing',
          reenter: true,
          actions: [
            { type: 'propose', params: ({ event }) => ({ least: event.generation + 1 }) },
            persist('accepted'),
            proposeToAll,
          ],
        },
      },
    },
    // Every founder has accepted. Only when a majority has that on its disk may a lock be used: if this site granted one, and
    // were gone before the others know, they would wait for it for ever.
    founded: {
      initial: 'announcing',
      on: {
        // A site that is no founder is told too: it must learn that it came after the founding.
        met: [
          { guard: 'isFounder', actions: [meet, sayFounded((event) => (event as Of<'met'>).id)] },
          { actions: sayFounded((event) => (event as Of<'met'>).id) },
        ],
        PROPOSE: { actions: sayFounded((event) => (event as Of<'PROPOSE'>).proposer) },
        FOUNDED: [supersede, {}],
        foundAnew,
      },
      states: {
        announcing: {
          always: { guard: 'knownByMajority', target: 'settled', actions: [persist('settled'), founded] },
          on: { FOUNDED: { guard: 'isAccepted', actions: countKnower } },
        },
        settled: {},
      },
    },
    // All sites that know of the founding may be gone. Then the remaining founders found the cluster again,
    // under a higher generation.
    excluded: { on: { found: proposeAnew } },
    superseded: { on: { met: {}, PROPOSE: {}, FOUNDED: {}, foundAnew } },
  },
});

export type FoundingSnapshot = SnapshotFrom<typeof foundingMachine>;
