import { Draws } from './draws.ts';

/** A fault and its time. `atMs` and `forMs` are milliseconds; `atMs` counts from the start of the faults. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'reset' | 'end'; readonly pair: Pair }
  /** Holds all bytes, one way or both, and passes them later. */
  | { readonly kind: 'stall' | 'one-way'; readonly pair: Pair; readonly forMs: number }
  | { readonly kind: 'delay'; readonly pair: Pair; readonly forMs: number; readonly delayMs: number }
  /** Share of the sent pieces that is lost, in percent: TCP sends each again later, and the pieces after it on its connection wait. */
  | {
      readonly kind: 'loss';
      readonly pair: Pair;
      readonly forMs: number;
      readonly percent: number;
      readonly seed: number;
    }
  /** After this many bytes from the first site to the second. */
  | { readonly kind: 'mid-frame'; readonly pair: Pair; readonly bytes: number }
  /** The first site loses its connections to the second, which does not learn of it before the end. */
  | { readonly kind: 'half-open'; readonly pair: Pair; readonly forMs: number }
  /** Reset, and no new connection for a while. */
  | { readonly kind: 'refuse'; readonly pair: Pair; readonly forMs: number }
  /** `silent`: nothing passes. `refused`: every connection is reset, and new ones are refused. */
  | {
      readonly kind: 'partition';
      readonly minority: readonly string[];
      readonly how: 'silent' | 'refused';
      readonly forMs: number;
    }
  | ProcessFault
  | MembersFault
);

/** A fault of one process, or of its disk. */
export type ProcessFault = {
  readonly atMs: number;
} /** SIGKILL; started again with its data after a while. */ & (
  | { readonly kind: 'kill'; readonly site: string; readonly forMs: number }
  /** Like `kill`, and the data is away at first: the site must be refused then (R8). */
  | { readonly kind: 'kill-diskless'; readonly site: string; readonly forMs: number }
  /** SIGTERM: it leaves; started again with its data after a while. */
  | { readonly kind: 'terminate'; readonly site: string; readonly forMs: number }
  /** SIGSTOP, and SIGCONT after a while. */
  | { readonly kind: 'stop'; readonly site: string; readonly forMs: number }
  /** The disk is full; later it has room, and the site is started again if it stopped. */
  | { readonly kind: 'disk-full'; readonly site: string; readonly forMs: number }
  /** The process gets no file descriptor more; later it does, and the site is started again if it stopped. */
  | { readonly kind: 'no-descriptors'; readonly site: string; readonly forMs: number }
);

/** A change of the members by their operator, or a disk that is lost or falls back. They are made one after the other. */
export type MembersFault = {
  readonly atMs: number;
} /** A site that is no member starts with an empty disk, and is added. */ & (
  | { readonly kind: 'add'; readonly site: string }
  /** The site is killed and removed; `isRunning`: removed while it runs, then killed. Its disk is emptied. */
  | { readonly kind: 'remove'; readonly site: string; readonly isRunning: boolean }
  /** A site that is no member starts with an empty disk, and takes the place of this one, which is then killed. */
  | { readonly kind: 'replace'; readonly site: string; readonly by: string }
  /** SIGKILL; started again with an empty disk, for good. */
  | { readonly kind: 'empty-disk'; readonly site: string }
  /** Started with an older copy of its data for a while: it must be refused then. Afterwards it has its own again. */
  | { readonly kind: 'old-copy'; readonly site: string; readonly forMs: number }
  /** A founder starts for the first time. */
  | { readonly kind: 'late-start'; readonly site: string; readonly forMs: number }
  /** A founder starts with the others, and is out of their reach at first. */
  | { readonly kind: 'founders-apart'; readonly site: string; readonly forMs: number }
);

export type Kind = Fault['kind'];
export type Pair = readonly [from: string, to: string];

/** All random choices of a run. */
export interface Schedule {
  readonly seed: number;
  /** The founders. */
  readonly sites: readonly string[];
  /** The names of sites that may become members. None: the members do not change. */
  readonly spares: readonly string[];
  readonly seconds: number;
  /** In the order of `atMs`; each is over by `seconds`. */
  readonly faults: readonly Fault[];
  /** The seeds of the clients, by site. */
  readonly clientSeeds: Readonly<Record<string, number>>;
  /** For each site, how many times as fast as the machine's its clock runs. Default: once. */
  readonly rates: Readonly<Record<string, number>>;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly sites: number;
  readonly seconds: number;
  /** The members change too. Default false. */
  readonly members?: boolean;
  /** Mean time in ms between two faults. Default 200. */
  readonly gapMs?: number;
}

/** Relative frequency of each kind of fault. */
const weights = {
  reset: 4,
  end: 2,
  'mid-frame': 3,
  'half-open': 2,
  stall: 2,
  'one-way': 2,
  delay: 2,
  refuse: 2,
  partition: 3,
  kill: 3,
  'kill-diskless': 1,
  terminate: 1,
  stop: 2,
  'disk-full': 1,
  'no-descriptors': 1,
} satisfies Partial<Record<Kind, number>>;

/** Where the members change, a disk is lost for good, and at one site at a time. */
const weightsWithMembers = {
  ...weights,
  'kill-diskless': 0,
  loss: 3,
  add: 4,
  remove: 4,
  replace: 4,
  'empty-disk': 3,
  'old-copy': 3,
} satisfies Partial<Record<Kind, number>>;

const weighted = (all: Partial<Record<Kind, number>>) =>
  Object.entries(all).flatMap(([kind, weight]) => Array<Kind>(weight).fill(kind as Kind));
const [drawnKinds, drawnWithMembers] = [weighted(weights), weighted(weightsWithMembers)];

const spareCount = 2;
/** Chance in percent that a founder starts for the first time, or meets the others, while there are faults. */
const latePercent = 40;
/** Largest deviation of a clock's rate, in percent, where the members change. */
const driftPercent = 20;

export const siteNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));

/** The same options give the same schedule. */
export function scheduleOf({
  seed,
  sites: count,
  seconds,
  members = false,
  gapMs = 200,
}: ScheduleOptions): Schedule {
  const draws = new Draws(seed);
  const names = siteNames(members ? count + spareCount : count);
  const [sites, spares] = [names.slice(0, count), names.slice(count)];
  const clientSeeds = Object.fromEntries(names.map((site) => [site, draws.seed()]));
  const endMs = seconds * 1000;
  /** For each site, the time until which its process must be left alone. */
  const busyUntil = new Map<string, number>();
  const faults: Fault[] = [];
  const roster = members ? new Roster(sites, spares) : null;
  if (roster !== null && draws.percent(latePercent)) {
    const forMs = Math.min(draws.whole(100, 1_000), endMs);
    const kind = draws.oneOf(['late-start', 'founders-apart'] as const);
    faults.push({ kind, atMs: 0, site: draws.oneOf(sites), forMs });
  }
  const rateOf = () => (100 + draws.whole(-driftPercent, driftPercent)) / 100;
  const rates = Object.fromEntries(members ? names.map((site) => [site, rateOf()]) : []);
  for (let atMs = draws.whole(0, gapMs); atMs < endMs - 50; atMs += draws.whole(1, 2 * gapMs)) {
    const fault = draw(draws, sites, atMs, endMs, roster);
    if (fault === null) continue;
    if ('site' in fault && !isOfMembers(fault)) {
      if (atMs <= (busyUntil.get(fault.site) ?? -1)) continue;
      busyUntil.set(fault.site, atMs + fault.forMs);
    }
    faults.push(fault);
  }
  return { seed, sites, spares, seconds, faults, clientSeeds, rates };
}

/** The members and the other names, after the changes that are drawn so far: each is made, sooner or later. */
class Roster {
  readonly members: string[];
  readonly spares: string[];
  /** More than half of the sites are never cut off, whatever is removed. */
  readonly #least: number;
  readonly #most: number;

  constructor(sites: readonly string[], spares: readonly string[]) {
    this.members = [...sites];
    this.spares = [...spares];
    this.#least = Math.max(2, sites.length - 1);
    this.#most = sites.length + 1;
  }

  /** Returns null if there are too many members for it, or too few. */
  draw(draws: Draws, kind: MembersFault['kind'], atMs: number, forMs: number): MembersFault | null {
    const { members, spares } = this;
    const [site, other] = [draws.oneOf(members), draws.oneOf(spares)];
    const isRunning = draws.percent(50);
    switch (kind) {
      case 'add':
        if (members.length === this.#most) return null;
        members.push(spares.splice(spares.indexOf(other), 1)[0]!);
        return { kind, atMs, site: other };
      case 'remove':
        if (members.length === this.#least) return null;
        spares.push(members.splice(members.indexOf(site), 1)[0]!);
        return { kind, atMs, site, isRunning };
      case 'replace':
        members[members.indexOf(site)] = other;
        spares[spares.indexOf(other)] = site;
        return { kind, atMs, site, by: other };
      case 'empty-disk':
        // One of two is no majority, which the other one needs to be added again.
        return members.length === 2 ? null : { kind, atMs, site };
      case 'old-copy':
      case 'late-start':
      case 'founders-apart':
        return { kind, atMs, site, forMs };
      default:
        return kind satisfies never;
    }
  }
}

const isOfMembers = (fault: Fault): fault is MembersFault =>
  ['add', 'remove', 'replace', 'empty-disk', 'old-copy', 'late-start', 'founders-apart'].includes(fault.kind);

/** The founder that the others do not meet at first; `null`: all found the cluster at once. */
export const lateOf = ({ faults }: Schedule): Extract<MembersFault, { forMs: number }> | null =>
  faults.find((fault) => fault.kind === 'late-start' || fault.kind === 'founders-apart') ?? null;

/** Returns null if it draws a change that the members do not allow. */
function draw(
  draws: Draws,
  founders: readonly string[],
  atMs: number,
  endMs: number,
  roster: Roster | null,
): Fault | null {
  const kind = draws.oneOf(roster === null ? drawnKinds : drawnWithMembers);
  const sites = roster?.members ?? founders;
  const forMs = (from: number, to: number) => Math.min(draws.whole(from, to), endMs - atMs);
  const [one, other] = draws.some(sites, 2) as [string, string];
  const pair: Pair = draws.percent(50) ? [one, other] : [other, one];
  const site = draws.oneOf(sites);
  switch (kind) {
    case 'reset':
    case 'end':
      return { kind, atMs, pair };
    case 'mid-frame':
      return { kind, atMs, pair, bytes: draws.whole(1, 400) };
    case 'half-open':
    case 'refuse':
    case 'stall':
    case 'one-way':
      return { kind, atMs, pair, forMs: forMs(20, 800) };
    case 'delay':
      return { kind, atMs, pair, forMs: forMs(100, 800), delayMs: draws.whole(5, 150) };
    case 'loss':
      return { kind, atMs, pair, forMs: forMs(100, 800), percent: draws.whole(1, 20), seed: draws.seed() };
    case 'partition': {
      const size = draws.whole(1, Math.max(1, Math.floor((founders.length - 1) / 2)));
      const how = draws.oneOf(['silent', 'refused'] as const);
      return { kind, atMs, minority: draws.some(sites, size), how, forMs: forMs(200, 1500) };
    }
    case 'kill':
    case 'kill-diskless':
    case 'terminate':
    case 'disk-full':
    case 'no-descriptors':
      return { kind, atMs, site, forMs: forMs(50, 800) };
    case 'stop':
      return { kind, atMs, site, forMs: forMs(50, 1200) };
    case 'add':
    case 'remove':
    case 'replace':
    case 'empty-disk':
    case 'old-copy':
    case 'late-start':
    case 'founders-apart':
      return roster!.draw(draws, kind, atMs, forMs(100, 500));
    default:
      return kind satisfies never;
  }
}

export function faultInWords(fault: Fault): string {
  const lasting = 'forMs' in fault ? ` for ${fault.forMs} ms` : '';
  const where = 'pair' in fault ? ` ${fault.pair.join(' -> ')}` : '';
  const whom = 'site' in fault ? ` ${fault.site}` : '';
  switch (fault.kind) {
    case 'delay':
      return `delay${where} by ${fault.delayMs} ms${lasting}`;
    case 'loss':
      return `loss${where} of ${fault.percent} %${lasting}`;
    case 'mid-frame':
      return `reset${where} after ${fault.bytes} bytes`;
    case 'partition':
      return `partition of ${fault.minority.join(', ')}, ${fault.how}${lasting}`;
    case 'remove':
      return `remove${whom}${fault.isRunning ? ' while it runs' : ''}`;
    case 'replace':
      return `replace${whom} by ${fault.by}`;
    default:
      return `${fault.kind}${where}${whom}${lasting}`;
  }
}

export function countByKind(faults: readonly Fault[]): Readonly<Partial<Record<Kind, number>>> {
  const counts: Partial<Record<Kind, number>> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
