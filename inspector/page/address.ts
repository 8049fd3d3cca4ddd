/**
 * The parts of the address after `#`: `#source=mutual-exclusion&step=4`, the path of an exploration, the lock
 * of a cluster.
 */
export interface Address {
  /** `null`: the first source. */
  readonly source: string | null;
  /** `null`: the moment that the run is about, such as the violation of a counterexample. */
  readonly step: number | null;
  /** The choices of an exploration, `0.2.1`. */
  readonly path: readonly number[];
  /** A lock of a running cluster. `null`: the one that is shown when none is named. */
  readonly lock: string | null;
  /** The source that is shown beside the first. `null`: none. */
  readonly beside: string | null;
}

export function addressOf(hash: string): Address {
  const named = new URLSearchParams(hash.replace(/^#/, ''));
  const given = named.get('step');
  const step = Number(given);
  const path = named.get('path') ?? '';
  return {
    source: named.get('source'),
    step: given !== null && Number.isInteger(step) && step >= 0 ? step : null,
    path: /^\d+(\.\d+)*$/.test(path) ? path.split('.').map(Number) : [],
    lock: named.get('lock'),
    beside: named.get('beside'),
  };
}

export function hashOf({ source, step, path, lock, beside }: Address): string {
  const named = [
    ...(source === null ? [] : [`source=${encodeURIComponent(source)}`]),
    ...(beside === null ? [] : [`beside=${encodeURIComponent(beside)}`]),
    ...(lock === null ? [] : [`lock=${encodeURIComponent(lock)}`]),
    ...(lock === null && step !== null ? [`step=${step}`] : []),
    ...(path.length === 0 ? [] : [`path=${path.join('.')}`]),
  ];
  return `#${named.join('&')}`;
}
