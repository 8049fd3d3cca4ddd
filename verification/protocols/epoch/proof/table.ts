import type { AnyStateMachine } from 'xstate';
import type { NamedAction } from '../../../../machines/actor.ts';
import type { DurableState, Fence, SiteMessage } from '../../../../machines/epoch/messages.ts';
import type { SiteContext } from '../../../../machines/epoch/site.ts';
import { foundersMembership, setOf } from '../../../../machines/epoch/variables.ts';
import { compile } from '../../../../statechart/compile.ts';
import type { Statechart } from '../../../../statechart/statechart.ts';
import { refusing, TableError } from '../../../proof/opaque.ts';

/*
 * The statechart of a lock as a table, seen from one epoch E and one fence (E, K): for each state, event and order of the numbers in
 * them, whether the step votes for E, adopts it, makes or passes its token, or grants the fence.
 */

/** A number beside E. */
export type Side = 'below' | 'at' | 'above';

/** The number beside E, in a table made with E at `E`. */
const E = 3;
const K = 2;
/** Three numbers in any order on either side of E, so that each of promise, epoch and a message's epoch has its place. */
const numbers = [0, 1, 2, 3, 4, 5, 6];
const counts = [0, 1, 2];

export type Inside = Exclude<Side, 'above'> | null;

export const kinds = [
  ...(['ask', 'try', 'release', 'releaseAndAsk', 'again', 'withdraw', 'suspect', 'forget'] as const),
  ...(['REQUEST', 'TOKEN', 'NEW', 'VOTE_REQUEST', 'VOTE', 'REFUSE', 'OVER', 'FORGET'] as const),
  'restart',
] as const;
export type Kind = (typeof kinds)[number];

const clients = ['idle', 'requesting', 'withdrawn', 'inCS'] as const;
const regions = ['following', 'frozen', 'candidate', 'closed', 'barred'] as const;
type Region = (typeof regions)[number];

/**
 * The relation of a state and an event to E. `o` names the voter, candidate or origin of a message, `r` the root that it names, `h` the holder
 * that a candidate has heard of.
 */
export interface Before {
  readonly kind: Kind;
  readonly promised: Side;
  readonly epoch: Side;
  readonly candidate: boolean;
  /** It has the token of E, with less than K entries counted. */
  readonly holds: boolean;
  readonly isLow: boolean;
  /** It is in a critical section, by a fence of an epoch below E, or of E; `null` otherwise. */
  readonly inside: Inside;
  /** The epoch that the message names is E; its TOKEN has less than K entries counted; the root that it names is the site itself. */
  readonly ofE: boolean;
  readonly isMessageLow: boolean;
  readonly isRoot: boolean;
}

export interface After {
  readonly promised: Side;
  readonly epoch: Side;
  readonly candidate: boolean;
  readonly holds: boolean;
  readonly isLow: boolean;
  readonly inside: Inside;
  /** The root of the epoch that was adopted last. */
  readonly root: 'kept' | 'r' | 'i' | 'h';
  /** The votes that a candidate for E counts; of any other site, none. */
  readonly votes: 'kept' | 'kept and o' | 'i' | 'none';
  /** The site has won E: these votes are a majority, and this site is the root. */
  readonly elected: { readonly votes: 'kept' | 'kept and o' | 'i'; readonly root: 'i' | 'h' | 'o' } | null;
  /** A VOTE for E is sent to `o`. */
  readonly votesFor: 'o' | null;
  /** Messages that name E are sent, with this root. */
  readonly names: 'own' | 'r' | null;
  /** The TOKEN of E is sent, with less than K entries counted. */
  readonly token: { readonly isLow: boolean } | null;
  /** The fence (E, K) is granted, or a fence of E with a lower number, or one of an earlier epoch. */
  readonly grants: 'at' | 'lower' | 'earlier' | null;
}

/** One transition as far as E is concerned: the ways in which it can start, and how many rows of the table are such. */
export interface Group {
  readonly kind: Kind;
  readonly starts: readonly Before[];
  readonly after: After;
  readonly rows: number;
  readonly example: string;
}

export interface Table {
  readonly rows: number;
  readonly groups: readonly Group[];
  /** The rows that break each claim. */
  readonly broken: ReadonlyMap<string, readonly string[]>;
}

/** The names and numbers that a table is made with. Two tables that differ in these alone must be equal. */
export interface Naming {
  /** The sites i, o, r, h; g: the root so far; l: the last; n: an entry of the line; v, w: other voters. */
  readonly sites: Readonly<Record<'i' | 'o' | 'r' | 'h' | 'g' | 'l' | 'n' | 'v' | 'w', string>>;
  /** Added to each number. */
  readonly above: number;
}

export const plain: Naming = {
  sites: { i: 'i', o: 'o', r: 'r', h: 'h', g: 'g', l: 'l', n: 'n', v: 'v', w: 'w' },
  above: 0,
};

interface Concrete {
  readonly kind: Kind;
  readonly region: Region;
  readonly client: (typeof clients)[number];
  readonly context: SiteContext;
  readonly event: { readonly type: string; readonly [key: string]: unknown };
}

/** The claims about a single row, by their texts. */
export const rowClaims = {
  promise: 'a site follows what it has promised, and a candidate stands above what it has adopted',
  inside: 'in the critical section the token is here, and a site that is barred has none',
  votes: 'only a candidate counts votes, and its own vote is for itself',
  majority: 'a site is elected by a majority of the voters, and adopts what it is elected for',
  disk: 'what a message shows is on the disk before it is sent, and so is all that the next run needs',
  names: 'a message names the epoch and root that its sender has adopted, or it is passed on as it came',
  voter: 'a VOTE names its sender and the promise that it has made, and a VOTE_REQUEST its sender',
  token: 'a TOKEN is sent by a site that follows and has the token, and has it no longer',
  fence: 'a grant counts one entry more, and its fence is the epoch with that number',
  section: 'S5: the fence of a critical section is the last that was granted in it',
  shows: 'S4: a VOTE shows the epoch of the token that its sender has',
  highest: 'S4: a candidate remembers the token of the highest epoch that its votes show',
  root: 'S4: the root of an epoch is the site with that token, or the winner where no vote shows one',
  unexpected: 'an event that is unexpected changes nothing',
  strict: 'without leases no site waits for one',
} as const;
type RowClaim = keyof typeof rowClaims;

export function tabulate(machine: AnyStateMachine, naming: Naming = plain): Table {
  const stepper = new Stepper(machine, naming);
  const groups = new Map<
    string,
    { starts: Map<string, Before>; group: Omit<Group, 'rows' | 'starts'>; rows: number }
  >();
  const broken = new Map<string, string[]>(Object.values(rowClaims).map((claim) => [claim, []]));
  let rows = 0;
  for (const row of concrete(naming)) {
    rows++;
    const { before, after, breaks } = seen(row, stepper.take(row), naming);
    for (const claim of breaks) broken.get(rowClaims[claim])!.push(textOf(row));
    const { kind } = row;
    const key = JSON.stringify([kind, after]);
    let known = groups.get(key);
    if (known === undefined) {
      known = { starts: new Map(), group: { kind, after, example: textOf(row) }, rows: 0 };
      groups.set(key, known);
    }
    known.starts.set(JSON.stringify(before), before);
    known.rows++;
  }
  return {
    rows,
    groups: [...groups.values()].map(({ starts, group, rows }) => ({
      ...group,
      starts: [...starts.values()],
      rows,
    })),
    broken,
  };
}

interface Result {
  readonly value: {
    readonly client: string;
    readonly routing: string;
    readonly epoch: string;
    readonly lease: string;
  };
  readonly context: SiteContext;
  readonly effects: readonly NamedAction[];
}

/** Takes the steps of the compiled statechart, as a site does that runs. */
class Stepper {
  readonly #statechart: Statechart;
  readonly #naming: Naming;
  readonly #configurations = new Map<string, ReturnType<Statechart['resume']>['configuration']>();

  constructor(machine: AnyStateMachine, naming: Naming) {
    this.#statechart = compile(machine);
    this.#naming = naming;
  }

  take(row: Concrete): Result {
    const { context, effects, configuration } = refusing(`${row.kind} at a site that is ${row.region}`, () =>
      this.#stepped(row),
    );
    return {
      value: configuration.value as Result['value'],
      context: context as unknown as SiteContext,
      effects,
    };
  }

  #stepped({ kind, region, client, context, event }: Concrete): ReturnType<Statechart['step']> {
    const { promised, epoch, root, voters, last } = context;
    if (kind === 'restart') {
      const { i: self, g: founder } = this.#naming.sites;
      const disk = { promised, epoch, root };
      return this.#statechart.start({ self, founder, voters: Object.keys(voters), disk });
    }
    const routing = last === null ? 'root' : 'forwarding';
    const plain = context as unknown as Readonly<Record<string, unknown>>;
    const key = `${region} ${client} ${routing}`;
    let configuration = this.#configurations.get(key);
    if (configuration === undefined) {
      const value = { client, routing, epoch: region, lease: 'free' };
      configuration = this.#statechart.resume({ value, context: plain }).configuration;
      this.#configurations.set(key, configuration);
    }
    return this.#statechart.step(configuration, plain, event);
  }
}

// All rows.

function* concrete(naming: Naming): Generator<Concrete> {
  for (const kind of kinds)
    for (const region of regions)
      for (const [promised, epoch] of pairs(region))
        for (const context of contexts(kind, region, promised, epoch, naming))
          for (const client of kind === 'restart' || kind === 'VOTE' ? (['idle'] as const) : clients) {
            if (client === 'inCS' && !context.token) continue;
            for (const fence of client === 'inCS' ? fences(epoch, naming) : [null])
              for (const event of events(kind, naming))
                yield { kind, region, client, context: { ...context, fence }, event };
          }
}

/** A root that adopts inside its critical section keeps the fence of an epoch before. */
function fences(epoch: number, { above }: Naming): readonly Fence[] {
  const of = new Set([0, ...(epoch >= E ? [E] : []), epoch]);
  return [...of].map((epoch) => ({ epoch: epoch + above, k: 1 }));
}

function* pairs(region: Region): Generator<readonly [number, number]> {
  for (const promised of numbers)
    for (const epoch of numbers) {
      const isPossible =
        region === 'following'
          ? epoch === promised
          : region === 'frozen' || region === 'candidate'
            ? epoch < promised
            : epoch <= promised;
      if (isPossible) yield [promised, epoch];
    }
}

function* contexts(
  kind: Kind,
  region: Region,
  promised: number,
  epoch: number,
  { sites, above }: Naming,
): Generator<SiteContext> {
  const { i, o, g, h, l, n, v, w } = sites;
  // One voter; three; five; three of which the site is none.
  const voterLists =
    kind === 'suspect' || kind === 'VOTE' ? [[i], [i, o, v], [i, o, v, w, h], [o, v, w]] : [[i, o, v]];
  const readsLast = kind === 'REQUEST' || kind === 'ask' || kind === 'releaseAndAsk' || kind === 'TOKEN';
  for (const token of region === 'barred' ? [false] : [false, true])
    for (const k of token ? counts : [0])
      for (const line of region === 'barred' ? [[]] : [[], [n]])
        for (const last of readsLast ? [null, l] : [null])
          for (const list of voterLists) {
            const voters = setOf(list);
            const own = i in voters ? { [i]: true as const } : {};
            const counted =
              region !== 'candidate' ? [{}] : kind === 'VOTE' ? [own, { ...own, [v]: true as const }] : [own];
            for (const votes of counted)
              for (const holder of kind === 'VOTE' && region === 'candidate'
                ? [null, { site: h, epoch: 1 + above }]
                : [null])
                yield {
                  self: i,
                  voters,
                  membership: foundersMembership,
                  promised: promised + above,
                  epoch: epoch + above,
                  root: g,
                  last,
                  line,
                  token,
                  k,
                  fence: null,
                  votes,
                  holder,
                  lease: null,
                };
          }
}

function* events(kind: Kind, { sites, above }: Naming): Generator<Concrete['event']> {
  const { i, o, r, n } = sites;
  const { term, version } = foundersMembership;
  if (!isMessage(kind)) return yield { type: kind };
  for (const number of numbers) {
    const epoch = number + above;
    if (kind === 'VOTE_REQUEST') yield { type: kind, epoch, candidate: o, term, version };
    else if (kind === 'VOTE')
      for (const holds of [null, 0, 1, 2])
        yield { type: kind, epoch, voter: o, holds: holds === null ? null : holds + above };
    else if (kind === 'OVER') yield { type: kind, epoch, from: o, full: false };
    else
      for (const root of [i, r]) {
        if (kind === 'NEW') yield { type: kind, epoch, root };
        else if (kind === 'REQUEST') yield { type: kind, epoch, root, origin: o };
        else if (kind === 'FORGET') yield { type: kind, epoch, root, from: o };
        else if (kind === 'TOKEN')
          for (const k of counts)
            for (const line of [[], [n + n]]) yield { type: kind, epoch, root, k, line };
        else for (const other of numbers) yield { type: kind, epoch, root, promise: other + above };
      }
  }
}

export const isMessage = (kind: Kind) => kind === kind.toUpperCase();

// The part of a row that is about E.

const grantText = (epoch: number, k: number): After['grants'] =>
  epoch < 0 ? 'earlier' : epoch > 0 || k > K ? null : k === K ? 'at' : 'lower';

const side = (number: number): Side => (number < E ? 'below' : number === E ? 'at' : 'above');

function seen(
  row: Concrete,
  { value, context: to, effects }: Result,
  { sites, above }: Naming,
): { readonly before: Before; readonly after: After; readonly breaks: readonly RowClaim[] } {
  const { kind, event, context: from } = row;
  const { i, o, h } = sites;
  const at = E + above;
  const isLow = (k: number) => k < K;
  const holds = ({ token, epoch }: SiteContext) => token && epoch === at;
  const inside = (client: string, fence: Fence | null): Inside => {
    const of = client === 'inCS' && fence !== null ? side(fence.epoch - above) : 'above';
    return of === 'above' ? null : of;
  };
  const before: Before = {
    kind,
    promised: side(from.promised - above),
    epoch: side(from.epoch - above),
    candidate: row.region === 'candidate',
    holds: holds(from),
    isLow: holds(from) && isLow(from.k),
    inside: inside(row.client, from.fence),
    ofE: event['epoch'] === at,
    isMessageLow: kind === 'TOKEN' && isLow(event['k'] as number),
    isRoot: event['root'] === i,
  };

  const messages = effects.flatMap(({ type, target, message }) =>
    type === 'send' || type === 'broadcast' ? [{ target, message: message as SiteMessage }] : [],
  );
  const won = effects.find(({ type }) => type === 'elected') as
    | { readonly epoch: number; readonly root: string; readonly voters: Readonly<Record<string, true>> }
    | undefined;
  const votesText = (votes: Readonly<Record<string, true>>): After['votes'] => {
    const text = Object.keys(votes).sort().join();
    const known = Object.keys(from.votes);
    const wasCandidate = row.region === 'candidate';
    if (wasCandidate && text === [...known].sort().join()) return 'kept';
    if (text === '') return 'none';
    if (wasCandidate && text === [...new Set([...known, o])].sort().join()) return 'kept and o';
    if (text === i) return 'i';
    throw new TableError(
      'TABLE_REFUSED',
      `Expected no vote but those of i and o on ${textOf(row)}, and got ${text}.`,
    );
  };
  const candidate = value.epoch === 'candidate';
  const named = messages.flatMap(({ message }) =>
    'root' in message && message.epoch === at ? [message.root] : [],
  );
  const token = messages.find(({ message: { type } }) => type === 'TOKEN')?.message as
    | Extract<SiteMessage, { type: 'TOKEN' }>
    | undefined;
  const grants = effects.flatMap(({ type, fence }) => (type === 'grant' ? [fence as Fence] : []));
  const rootName = (root: string): After['root'] =>
    to.epoch === from.epoch && root === from.root
      ? 'kept'
      : root === i
        ? 'i'
        : root === event['root']
          ? 'r'
          : 'h';
  const after: After = {
    promised: side(to.promised - above),
    epoch: side(to.epoch - above),
    candidate,
    holds: holds(to),
    isLow: holds(to) && isLow(to.k),
    inside: inside(value.client, to.fence),
    root: to.epoch === at ? rootName(to.root) : 'kept',
    votes: candidate && to.promised === at ? votesText(to.votes) : 'none',
    elected:
      won === undefined || won.epoch !== at
        ? null
        : {
            votes: votesText(won.voters) as 'kept',
            root: won.root === i ? 'i' : won.root === h ? 'h' : 'o',
          },
    votesFor: messages.some(
      ({ target, message }) => message.type === 'VOTE' && message.epoch === at && target === o,
    )
      ? 'o'
      : null,
    names:
      named.length === 0 ? null : named.every((root) => root === to.root) && to.epoch === at ? 'own' : 'r',
    token: token !== undefined && token.epoch === at ? { isLow: isLow(token.k) } : null,
    grants: grants.map(({ epoch, k }) => grantText(epoch - at, k))[0] ?? null,
  };
  return {
    before,
    after,
    breaks: brokenClaims(row, { value, context: to, effects }, messages, { won, token, grants }),
  };
}

type Sent = { readonly target: unknown; readonly message: SiteMessage };

function brokenClaims(
  { kind, region, client, event, context: from }: Concrete,
  { value, context: to, effects }: Result,
  messages: readonly Sent[],
  {
    won,
    token,
    grants,
  }: {
    readonly won:
      | { readonly epoch: number; readonly root: string; readonly voters: Readonly<Record<string, true>> }
      | undefined;
    readonly token: Extract<SiteMessage, { type: 'TOKEN' }> | undefined;
    readonly grants: readonly Fence[];
  },
): readonly RowClaim[] {
  const has = (type: string) => effects.some((effect) => effect.type === type);
  const durable = ({ promised, epoch, root }: DurableState) => JSON.stringify([promised, epoch, root]);
  const isFollowing = value.epoch === 'following';
  const isStanding = value.epoch === 'candidate' || value.epoch === 'frozen';
  const highest = highestAfter(kind, from, region, event);
  const breaks: Record<RowClaim, boolean> = {
    promise:
      to.epoch > to.promised ||
      to.promised < from.promised ||
      to.epoch < from.epoch ||
      (isFollowing && to.epoch !== to.promised) ||
      (isStanding && to.epoch >= to.promised) ||
      // An epoch is adopted once, and its root does not change.
      (to.epoch === from.epoch && to.root !== from.root),
    inside: to.token ? value.epoch === 'barred' : value.client === 'inCS',
    votes:
      (value.epoch !== 'candidate' && Object.keys(to.votes).length > 0) ||
      (to.promised !== from.promised && Object.keys(to.votes).some((voter) => voter !== to.self)),
    majority:
      won !== undefined &&
      (2 * Object.keys(won.voters).filter((voter) => voter in to.voters).length <=
        Object.keys(to.voters).length ||
        won.epoch !== to.epoch ||
        won.root !== to.root),
    disk: !isOnDisk(from, to, effects, durable, kind),
    names: messages.some(
      ({ message }) =>
        'root' in message &&
        !(
          (message.epoch === to.epoch && message.root === to.root) ||
          (kind === message.type && message.epoch === event['epoch'] && message.root === event['root'])
        ),
    ),
    voter: messages.some(
      ({ target, message }) =>
        (message.type === 'VOTE' &&
          (message.voter !== to.self ||
            message.epoch !== to.promised ||
            to.promised === from.promised ||
            target !== event['candidate'])) ||
        (message.type === 'VOTE_REQUEST' && (message.candidate !== to.self || message.epoch > to.promised)),
    ),
    token:
      token !== undefined &&
      (messages.filter(({ message: { type } }) => type === 'TOKEN').length > 1 ||
        !isFollowing ||
        to.token ||
        token.epoch !== to.epoch ||
        !(from.token || kind === 'TOKEN' || to.epoch !== from.epoch)),
    fence: grants.some(
      ({ epoch, k }) =>
        grants.length > 1 ||
        epoch !== to.epoch ||
        k !== to.k ||
        !to.token ||
        !isFollowing ||
        k !== (kind === 'TOKEN' ? (event['k'] as number) : to.epoch === from.epoch ? from.k : 0) + 1,
    ),
    section:
      value.client === 'inCS' &&
      JSON.stringify(to.fence) !== JSON.stringify(grants.at(-1) ?? (client === 'inCS' ? from.fence : null)),
    shows: messages.some(
      ({ message }) => message.type === 'VOTE' && message.holds !== (from.token ? from.epoch : null),
    ),
    highest: value.epoch === 'candidate' && JSON.stringify(to.holder) !== JSON.stringify(highest),
    root: won !== undefined && won.root !== (highest?.site ?? to.self),
    unexpected:
      has('unexpected') &&
      (durable(to) !== durable(from) ||
        to.token !== from.token ||
        messages.length > 0 ||
        value.epoch !== region ||
        value.client !== client),
    strict: value.client === 'entering',
  };
  return (Object.keys(breaks) as RowClaim[]).filter((claim) => breaks[claim]);
}

/** The token of the highest epoch that a candidate's votes show after the step: a vote may be its own, as it stands, or the one that arrives. */
function highestAfter(
  kind: Kind,
  { self, voters, token, epoch, promised, holder }: SiteContext,
  region: Region,
  event: Concrete['event'],
): SiteContext['holder'] {
  if (kind === 'suspect') return token && self in voters ? { site: self, epoch } : null;
  if (region !== 'candidate' || kind !== 'VOTE' || event['epoch'] !== promised) return holder;
  const holds = event['holds'] as number | null;
  return holds !== null && (holder === null || holds > holder.epoch)
    ? { site: event['voter'] as string, epoch: holds }
    : holder;
}

/** Each message shows nothing that a crash right after it would undo, and the disk ends as the memory does. */
function isOnDisk(
  from: SiteContext,
  to: SiteContext,
  effects: readonly NamedAction[],
  text: (state: DurableState) => string,
  kind: Kind,
): boolean {
  let disk: DurableState = from;
  for (const effect of effects) {
    if (effect.type === 'persist') disk = effect as unknown as DurableState;
    if (effect.type !== 'send' && effect.type !== 'broadcast' && effect.type !== 'grant') continue;
    const message = effect['message'] as SiteMessage | undefined;
    const shown = message?.epoch ?? to.epoch;
    const isForwarded = message !== undefined && kind === message.type;
    if (!isForwarded && shown > disk.promised) return false;
    if ((message === undefined || 'root' in message) && !isForwarded && shown !== disk.epoch) return false;
  }
  return kind === 'restart' ? text(to) === text(from) : text(disk) === text(to);
}

function textOf({ kind, region, client, context, event }: Concrete): string {
  const { promised, epoch, token, k, line, votes } = context;
  const of = [
    `promised ${promised}`,
    `epoch ${epoch}`,
    ...(token ? [`token ${k}`] : []),
    ...(line.length > 0 ? ['a line'] : []),
    ...(region === 'candidate' ? [`votes ${Object.keys(votes).join(' ') || 'none'}`] : []),
  ];
  const { type: _, ...params } = event;
  return `${kind} ${Object.keys(params).length > 0 ? JSON.stringify(params) : ''} at ${region}, ${client}: ${of.join(', ')}`;
}
