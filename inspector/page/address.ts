/** What the address after `#` names: `#source=mutual-exclusion&step=4`, the path of an exploration, the lock of a cluster. */
export interface Address {
  /** `null`: the first that there is. */
  readonly source: string | null;
  readonly step: number;
  /** The choices of an exploration, `0.2.1`. */
  readonly path: readonly number[];
  /** Of a cluster that runs; `null`: the one that is shown when none is named. */
  readonly lock: string | null;
}

export function addressOf(hash: string): Address {
  const named = new URLSearchParams(hash.replace(/^#/, ''));
  const step = Number(named.get('step') ?? 0);
  const path = named.get('path') ?? '';
  return {
    source: named.get('source'),
    step: Number.isInteger(step) && step >= 0 ? step : 0,
    path: /^\d+(\.\d+)*$/.test(path) ? path.split('.').map(Number) : [],
    lock: named.get('lock'),
  };
}

export function hashOf({ source, step, path, lock }: Address): string {
  const named = [
    ...(source === null ? [] : [`source=${encodeURIComponent(source)}`]),
    ...(lock === null ? [`step=${step}`] : [`lock=${encodeURIComponent(lock)}`]),
    ...(path.length === 0 ? [] : [`path=${path.join('.')}`]),
  ];
  return `#${named.join('&')}`;
}
