import { Draws } from './draws.ts';

/** A fault and its time. `atMs` and `forMs` are milliseconds; `atMs` counts from the start of the faults. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'reset' | 'end'; readonly pair: Pair }
  /** Holds all bytes, one way or both, and passes them later. */
  | { readonly kind: 'stall' | 'one-way'; readonly pair: Pair; readonly forMs: number }
  | { readonly kind: 'delay'; readonly pair: Pair; readonly forMs: number; readonly delayMs: number }
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
  /** SIGKILL; started again with its data after a while. */
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

export type Kind = Fault['kind'];
export type Pair = readonly [from: string, to: string];

/** All random choices of a run. */
export interface Schedule {
  readonly seed: number;
  readonly sites: readonly string[];
  readonly seconds: number;
  /** In the order of `atMs`; each is over by `seconds`. */
  readonly faults: readonly Fault[];
  /** The seeds of the clients, by site. */
  readonly clientSeeds: Readonly<Record<string, number>>;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly sites: number;
  readonly seconds: number;
  /** Mean time in ms between two faults. Default 200. */
  readonly gapMs?: number;
}

/** Relative frequency of each kind of fault. */
const weights: Readonly<Record<Kind, number>> = {
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
};
const drawnKinds = Object.entries(weights).flatMap(([kind, weight]) =>
  Array<Kind>(weight).fill(kind as Kind),
);

export const siteNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));

/** The same options give the same schedule. */
export function scheduleOf({ seed, sites: count, seconds, gapMs = 200 }: ScheduleOptions): Schedule {
  const draws = new Draws(seed);
  const sites = siteNames(count);
  const clientSeeds = Object.fromEntries(sites.map((site) => [site, draws.seed()]));
  const endMs = seconds * 1000;
  /** For each site, the time until which its process must be left alone. */
  const busyUntil = new Map<string, number>();
  const faults: Fault[] = [];
  for (let atMs = draws.whole(0, gapMs); atMs < endMs - 50; atMs += draws.whole(1, 2 * gapMs)) {
    const fault = draw(draws, sites, atMs, endMs);
    if ('site' in fault) {
      if (atMs <= (busyUntil.get(fault.site) ?? -1)) continue;
      busyUntil.set(fault.site, atMs + fault.forMs);
    }
    faults.push(fault);
  }
  return { seed, sites, seconds, faults, clientSeeds };
}

function draw(draws: Draws, sites: readonly string[], atMs: number, endMs: number): Fault {
  const kind = draws.oneOf(drawnKinds);
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
    case 'partition': {
      const size = draws.whole(1, Math.max(1, Math.floor((sites.length - 1) / 2)));
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
    case 'mid-frame':
      return `reset${where} after ${fault.bytes} bytes`;
    case 'partition':
      return `partition of ${fault.minority.join(', ')}, ${fault.how}${lasting}`;
    default:
      return `${fault.kind}${where}${whom}${lasting}`;
  }
}

export function countByKind(faults: readonly Fault[]): Readonly<Partial<Record<Kind, number>>> {
  const counts: Partial<Record<Kind, number>> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
