import type { SiteState } from '../../verification/timeline/format.ts';
import type { Moments } from './moments.ts';
import { hasPointers, pointersOf } from './pointers.ts';
import { contextOf, isCritical, regionsOf } from './values.ts';

/** A site that holds the lock or waits for it, and since when. */
export interface Engaged {
  readonly site: string;
  /** The moment from which on it does. It may have begun earlier if that is the start. */
  readonly moment: number;
  /** Milliseconds since 1970, by the site's clock. `null`: the run does not tell. */
  readonly at: number | null;
}

/** A site that holds the lock. */
export interface Holder extends Engaged {
  /**
   * Its epoch, if a newer one has begun: it may continue, but another site may hold the lock, too. Else
   * `null`.
   */
  readonly oldEpoch: number | null;
  /** `unseen`, `gone`: it held the lock when it was last seen, or when its connection ended. */
  readonly sight: 'seen' | 'unseen' | 'gone';
}

/** The holders of a lock and the waiting sites, at one moment. */
export interface LockState {
  /** Those of the newest epoch first. */
  readonly holders: readonly Holder[];
  /** The site that has the token, and the one to which it is on its way. */
  readonly token: { readonly at: string | null; readonly to: string | null };
  /** Sites in the order in which they will get the token, as far as it is known. */
  readonly queue: readonly Engaged[];
  /** Sites whose request is still on its way. */
  readonly asking: readonly Engaged[];
  readonly epoch: number | null;
}

/** `null` if the sites have no critical section, or no `last` and `next`: the run is not about a lock. */
export function lockStateOf(moments: Moments, moment: number): LockState | null {
  const { timeline } = moments;
  if (timeline.critical.length === 0 || !hasPointers(moments)) return null;
  const ids = timeline.sites.map(({ id }) => id);
  const set = new Set(ids);
  const states = new Map(ids.map((id) => [id, moments.site(id, moment)]));
  const epochs = ids.flatMap((id) => epochIn(contextOf(states.get(id)!)) ?? []);
  const epoch = epochs.length === 0 ? null : Math.max(...epochs);
  const isCurrent = (id: string) => {
    const own = epochIn(contextOf(states.get(id)!));
    return own === null || own === epoch;
  };
  const pointers = new Map(ids.map((id) => [id, pointersOf(states.get(id)!, set)]));
  const isInside = (state: SiteState) => isCritical(timeline, state);
  const holders = ids
    .filter((id) => isInside(states.get(id)!))
    .map((site): Holder => {
      const { unseen, gone } = states.get(site)!;
      return {
        ...engaged(moments, site, moment, isInside),
        oldEpoch: isCurrent(site) ? null : epochIn(contextOf(states.get(site)!)),
        sight: gone ? 'gone' : unseen ? 'unseen' : 'seen',
      };
    })
    .toSorted((one, other) => Number(one.oldEpoch !== null) - Number(other.oldEpoch !== null));
  const isHolder = (id: string) => holders.some(({ site }) => site === id);

  const sent = tokenUnderWay(moments, moment, epoch);
  const at =
    ids.find((id) => pointers.get(id)!.token && isCurrent(id)) ??
    holders.find(({ oldEpoch }) => oldEpoch === null)?.site;
  const queue: string[] = [];
  // A site serves its own line before what stands behind it.
  const follow = (line: readonly string[]): void => {
    for (const entry of line) {
      if (entry === at || isHolder(entry) || queue.includes(entry) || !set.has(entry)) continue;
      queue.push(entry);
      follow(pointers.get(entry)!.line);
    }
  };
  if (at !== undefined) follow(pointers.get(at)!.line);
  else if (sent !== null) follow([sent.target, ...sent.line]);
  const isWaiting = ({ up, value }: SiteState) =>
    up && Object.values(regionsOf(value)).some((state) => /^(requesting|waiting|hungry)\b/.test(state));
  const waiting = (id: string) => engaged(moments, id, moment, isWaiting);
  return {
    holders,
    token: { at: at ?? null, to: at === undefined ? (sent?.target ?? null) : null },
    queue: queue.map(waiting),
    asking: ids
      .filter((id) => isWaiting(states.get(id)!) && !queue.includes(id) && !isHolder(id))
      .map(waiting),
    epoch,
  };
}

function epochIn({ epoch }: Readonly<Record<string, unknown>>): number | null {
  return typeof epoch === 'number' ? epoch : null;
}

/** The token of this epoch on its way. It brings the sites that are served after its receiver's own line. */
function tokenUnderWay(moments: Moments, moment: number, epoch: number | null) {
  for (const index of moments.underWay(moment)) {
    const { target, message } = moments.timeline.messages[index]!;
    if (message.type !== 'TOKEN' || (epoch !== null && message['epoch'] !== epoch)) continue;
    const { line } = message;
    return { target, line: Array.isArray(line) ? (line as readonly string[]) : [] };
  }
  return null;
}

/** Since when the site's state is of this kind. */
function engaged(moments: Moments, site: string, moment: number, is: (state: SiteState) => boolean): Engaged {
  const history = moments.siteHistory(site);
  let index = history.indexAt(moment);
  const { since } = history.values[index]!;
  while (index > 0 && is(history.values[index - 1]!)) index--;
  const begun = history.moments[index]!;
  return { site, moment: begun, at: since ?? moments.timeline.steps[begun - 1]?.at ?? null };
}

/** The durations of a lock's state, in words. `''`: not known. */
export interface LockTimes {
  /** `for 2.1 s`: how long a holder has held the lock, or had held it when it was last seen. */
  held(holder: Holder): string;
  /** `2.1 s`: how long a site has waited. */
  waited(site: Engaged): string;
  /** `12 s ago`: when the connection to the site ended. */
  gone(site: string): string;
}

/** `a holds the lock for 2.1 s; next: b (0.8 s), then c; d has asked`. */
export function lockLine({ holders, token, queue, asking, epoch }: LockState, times: LockTimes): string {
  const isHeld = holders.some(({ oldEpoch }) => oldEpoch === null);
  const named = (one: Engaged) => {
    const waited = times.waited(one);
    return waited === '' ? one.site : `${one.site} (${waited})`;
  };
  return [
    ...(isHeld ? [] : ['no site holds the lock']),
    ...holders.map((holder) => holderText(holder, times)),
    ...(isHeld || token.at === null ? [] : [`the token is at ${token.at}`]),
    ...(token.to === null ? [] : [`the token is on its way to ${token.to}`]),
    ...(queue.length === 0 ? [] : [`next: ${queue.map(named).join(', then ')}`]),
    ...(asking.length === 0
      ? []
      : [`${asking.map(named).join(', ')} ${asking.length === 1 ? 'has' : 'have'} asked`]),
    ...(queue.length + asking.length === 0 ? ['no site waits'] : []),
    ...(epoch === null ? [] : [`epoch ${epoch}`]),
  ].join('; ');
}

function holderText(holder: Holder, times: LockTimes): string {
  const { site, oldEpoch, sight } = holder;
  const held = times.held(holder);
  const over = oldEpoch === null ? '' : `, in epoch ${oldEpoch}, which is over`;
  if (sight === 'seen') return `${site} holds the lock ${held}${over}`;
  if (sight === 'unseen') return `${site} held the lock ${held} when it was last seen${over}`;
  const still = oldEpoch === null ? ', and whether it still does is not known' : over;
  return `${site} held the lock ${held} when its connection ended ${times.gone(site)}${still}`;
}
