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

type Broken = readonly [Rule, string];

/**
 * The first invariant of these rules that the site breaks. Plain conditions in a row, since a site checks them after each event: a list of
 * functions would be a call with many targets for each.
 */
function brokenOf(site: SiteContext, value: SiteView['value'], rules: readonly Rule[]): Broken | null {
  const { client } = value;
  const follows = value.epoch === 'following';
  const counts = (rule: Rule) => rules.length === 0 || rules.includes(rule);
  if (counts('L2')) {
    const { self, token, last, line } = site;
    if (client === 'inCS' && !token) return ['L2', 'in the critical section the token is here'];
    if (token && waits(client) && follows)
      return ['L2', 'a site with the token waits only while it is frozen'];
    if (last === self || line.includes(self)) return ['L2', 'last and line name other sites'];
    if (line.length > 1 && new Set(line).size !== line.length) return ['L2', 'a line names a site once'];
    if (token && (value.epoch === 'closed' || value.epoch === 'barred'))
      return ['L2', 'a site that crashed came back without a token'];
  }
  if (counts('L3') && follows) {
    const { token, last, line } = site;
    const isIdle = client === 'idle';
    if (isIdle && line.length > 0) return ['L3', 'the line of an idle site that follows is empty'];
    if (isIdle && (last === null) !== token)
      return ['L3', 'last of an idle site that follows is nil exactly when the token is here'];
    if (!isIdle && last !== null) return ['L3', 'last of a site that follows and is not idle is nil'];
  }
  if (counts('routing') && (site.last === null) !== (value.routing === 'root'))
    return ['routing', 'routing is root exactly when last is nil'];
  if (counts('promise')) {
    const { promised, epoch, votes } = site;
    if (epoch > promised) return ['promise', 'no epoch is adopted above the promise'];
    if (follows && epoch !== promised)
      return ['promise', 'a site follows exactly the epoch that it has promised'];
    if ((value.epoch === 'frozen' || value.epoch === 'candidate') && epoch >= promised)
      return ['promise', 'frozen sites and candidates have promised an epoch to come'];
    if (value.epoch !== 'candidate' && !isEmpty(votes)) return ['promise', 'only candidates count votes'];
  }
  if (counts('fence')) {
    const { fence, epoch } = site;
    if ((fence !== null) !== (client === 'inCS')) return ['fence', 'a critical section has a fence'];
    if (fence !== null && fence.epoch > epoch) return ['fence', 'no fence is of an epoch to come'];
  }
  if (counts('lease')) {
    const { lease, token } = site;
    if (client === 'inCS' && lease !== null && lease.since === null)
      return ['lease', 'in the critical section there is a lease'];
    if (client === 'entering' && (lease === null || !token || (lease.since !== null && follows)))
      return ['lease', 'a site about to enter has the token and no lease'];
    if (lease?.putOff && value.lease !== 'bound') return ['lease', 'only a bound site defers'];
  }
  return null;
}

/**
 * Returns the first invariant of `rules` (default: all) that this site breaks, as text with the site's state.
 * `null`: the site keeps all of them.
 */
export function brokenInvariant({ value, context }: SiteView, ...rules: readonly Rule[]): string | null {
  const broken = brokenOf(context, value, rules);
  if (broken === null) return null;
  const [rule, says] = broken;
  const { self, epoch, promised, last, line, token } = context;
  return (
    `${rule}: ${says}, but ${self} is ${value.client} (${value.routing}, ${value.epoch}) in epoch ${epoch} ` +
    `(promised ${promised}) with last ${last ?? 'nil'}, line [${line.join(', ')}], token ${token ? 'here' : 'elsewhere'}`
  );
}

function isEmpty(sites: Readonly<Record<string, unknown>>): boolean {
  for (const _ in sites) return false;
  return true;
}

function waits(client: string): boolean {
  return client === 'requesting' || client === 'withdrawn';
}
