import type { Moments } from './moments.ts';
import { hasPointers, pointersOf } from './pointers.ts';
import { contextOf, isCritical, regionsOf } from './values.ts';

/** A site that holds the lock. */
export interface Holder {
  readonly site: string;
  /** The moment since which it is in its critical section. */
  readonly since: number;
  /**
   * Its epoch, if a newer one has begun: it may continue, but another site may hold the lock, too. Else
   * `null`.
   */
  readonly oldEpoch: number | null;
}

/** The holders of a lock and the waiting sites, at one moment. */
export interface LockState {
  /** Those of the newest epoch first. */
  readonly holders: readonly Holder[];
  /** Sites in the order in which they will get the token, as far as it is known. */
  readonly queue: readonly string[];
  /** Sites whose request is still on its way. */
  readonly asking: readonly string[];
  readonly epoch: number | null;
}

/** `null` if the sites have no critical section, or no `last` and `next`: the run is not about a lock. */
export function lockStateOf(moments: Moments, moment: number): LockState | null {
  const { timeline } = moments;
  if (timeline.critical.length === 0 || !hasPointers(moments)) return null;
  const ids = timeline.sites.map(({ id }) => id);
  const set = new Set(ids);
  const states = new Map(ids.map((id) => [id, moments.site(id, moment)]));
  const epochs = ids.flatMap((id) => {
    const { epoch } = contextOf(states.get(id)!);
    return typeof epoch === 'number' ? [epoch] : [];
  });
  const epoch = epochs.length === 0 ? null : Math.max(...epochs);
  const holders = ids
    .filter((id) => isCritical(timeline, states.get(id)!))
    .map((site): Holder => {
      const own = contextOf(states.get(site)!)['epoch'];
      const isOld = typeof own === 'number' && epoch !== null && own < epoch;
      return { site, since: insideSince(moments, site, moment), oldEpoch: isOld ? own : null };
    })
    .toSorted((one, other) => Number(one.oldEpoch !== null) - Number(other.oldEpoch !== null));
  const isHolder = (id: string) => holders.some(({ site }) => site === id);
  const pointers = new Map(ids.map((id) => [id, pointersOf(states.get(id)!, set)]));
  const queue: string[] = [];
  const first = holders[0]?.site ?? ids.find((id) => pointers.get(id)!.token);
  // A site serves its own line before what stands behind it.
  const follow = (id: string): void => {
    for (const entry of pointers.get(id)!.line) {
      if (entry === first || isHolder(entry) || queue.includes(entry)) continue;
      queue.push(entry);
      follow(entry);
    }
  };
  if (first !== undefined) follow(first);
  const waits = (id: string) =>
    states.get(id)!.up &&
    Object.values(regionsOf(states.get(id)!.value)).some((state) =>
      /^(requesting|waiting|hungry)\b/.test(state),
    );
  const asking = ids.filter((id) => waits(id) && !queue.includes(id) && !isHolder(id));
  return { holders, queue, asking, epoch };
}

function insideSince(moments: Moments, site: string, moment: number): number {
  const history = moments.siteHistory(site);
  let index = history.indexAt(moment);
  while (index > 0 && isCritical(moments.timeline, history.values[index - 1]!)) index--;
  return history.moments[index]!;
}

/** `a holds the lock; then b, c; d has asked`. `heldFor` tells in words for how long a holder has held it. */
export function lockLine(
  { holders, queue, asking, epoch }: LockState,
  heldFor: (holder: Holder) => string,
): string {
  const held = holders.map((holder) => {
    const old = holder.oldEpoch === null ? '' : `, in epoch ${holder.oldEpoch}, which is over`;
    return `${holder.site} holds the lock ${heldFor(holder)}${old}`;
  });
  return [
    ...(held.length === 0 ? ['no site holds the lock'] : held),
    ...(queue.length === 0 ? [] : [`next: ${queue.join(', then ')}`]),
    ...(asking.length === 0 ? [] : [`${asking.join(', ')} ${asking.length === 1 ? 'has' : 'have'} asked`]),
    ...(queue.length + asking.length === 0 ? ['no site waits'] : []),
    ...(epoch === null ? [] : [`epoch ${epoch}`]),
  ].join('; ');
}
