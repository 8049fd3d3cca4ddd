import type { SiteContext } from './site.ts';

/** The part of a snapshot that the invariants read. */
export interface SiteView {
  readonly value: {
    readonly client: string;
    readonly routing: string;
    readonly epoch: string;
    readonly lease: string;
  };
  readonly context: SiteContext;
}

/**
 * The invariants of one site alone.
 *
 * - `L2`, `L3`: as in docs/protocol.md, section 2. A frozen site may wait though it has the token, and may be idle
 *   though its line is not empty: R3 has it wait for the next epoch.
 * - `routing`: the region `routing` and the variable `last` agree.
 * - `promise`: no site follows an epoch below its promise, and a frozen site has promised or crashed.
 * - `fence`: a site has a fence exactly while it is in the critical section; no fence is of an epoch to come.
 * - `lease`: in strict mode a site in the critical section has a lease, as far as it knows; only in strict mode does a
 *   site with the token wait for one; and only a bound site defers requests for its promise.
 */
export type Rule = 'L2' | 'L3' | 'routing' | 'promise' | 'fence' | 'lease';

type Invariant = readonly [Rule, string, (site: SiteContext, value: SiteView['value']) => boolean];

const invariants: readonly Invariant[] = [
  ['L2', 'in the critical section the token is here', ({ token }, { client }) => token || client !== 'inCS'],
  [
    'L2',
    'a site with the token waits only while it is frozen',
    ({ token }, { client, epoch }) => !token || !waits(client) || epoch !== 'following',
  ],
  ['L2', 'last and line name other sites', ({ self, last, line }) => last !== self && !line.includes(self)],
  ['L2', 'a line names a site once', ({ line }) => line.length < 2 || new Set(line).size === line.length],
  [
    'L2',
    'a site that crashed came back without a token',
    ({ token }, { epoch }) => !token || !(epoch === 'closed' || epoch === 'barred'),
  ],
  [
    'L3',
    'the line of an idle site that follows is empty',
    ({ line }, { client, epoch }) => client !== 'idle' || line.length === 0 || epoch !== 'following',
  ],
  [
    'L3',
    'last of an idle site that follows is nil exactly when the token is here',
    ({ last, token }, { client, epoch }) =>
      client !== 'idle' || epoch !== 'following' || (last === null) === token,
  ],
  [
    'L3',
    'last of a site that follows and is not idle is nil',
    ({ last }, { client, epoch }) => client === 'idle' || epoch !== 'following' || last === null,
  ],
  [
    'routing',
    'routing is root exactly when last is nil',
    ({ last }, { routing }) => (last === null) === (routing === 'root'),
  ],
  ['promise', 'no epoch is adopted above the promise', ({ promised, epoch }) => epoch <= promised],
  [
    'promise',
    'a site follows exactly the epoch that it has promised',
    ({ promised, epoch }, value) => value.epoch !== 'following' || epoch === promised,
  ],
  [
    'promise',
    'frozen sites and candidates have promised an epoch to come',
    ({ promised, epoch }, value) => !['frozen', 'candidate'].includes(value.epoch) || epoch < promised,
  ],
  [
    'promise',
    'only candidates count votes',
    ({ votes }, { epoch }) => epoch === 'candidate' || Object.keys(votes).length === 0,
  ],
  [
    'fence',
    'a critical section has a fence',
    ({ fence }, { client }) => (fence !== null) === (client === 'inCS'),
  ],
  ['fence', 'no fence is of an epoch to come', ({ fence, epoch }) => fence === null || fence.epoch <= epoch],
  [
    'lease',
    'in the critical section there is a lease',
    ({ lease }, { client }) => client !== 'inCS' || lease === null || lease.since !== null,
  ],
  [
    'lease',
    'a site about to enter has the token and no lease',
    ({ lease, token }, { client, epoch }) =>
      client !== 'entering' || (lease !== null && token && (lease.since === null || epoch !== 'following')),
  ],
  ['lease', 'only a bound site defers', ({ lease }, value) => !lease?.putOff || value.lease === 'bound'],
];

/**
 * Returns the first invariant of `rules` (default: all) that this site breaks, as text with the site's state.
 * `null`: the site keeps all of them.
 */
export function brokenInvariant({ value, context }: SiteView, ...rules: readonly Rule[]): string | null {
  for (const [rule, says, holds] of invariants) {
    if (rules.length > 0 && !rules.includes(rule)) continue;
    if (holds(context, value)) continue;
    const { self, epoch, promised, last, line, token } = context;
    return (
      `${rule}: ${says}, but ${self} is ${value.client} (${value.routing}, ${value.epoch}) in epoch ${epoch} ` +
      `(promised ${promised}) with last ${last ?? 'nil'}, line [${line.join(', ')}], token ${token ? 'here' : 'elsewhere'}`
    );
  }
  return null;
}

function waits(client: string): boolean {
  return client === 'requesting' || client === 'withdrawn';
}
