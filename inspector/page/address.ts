/** What the address after `#` names: `#source=mutual-exclusion&step=4`, and the path of an exploration. */
export interface Address {
  /** `null`: the first that there is. */
  readonly source: string | null;
  readonly step: number;
  /** The choices of an exploration, `0.2.1`. */
  readonly path: readonly number[];
}

export function addressOf(hash: string): Address {
  const named = new URLSearchParams(hash.replace(/^#/, ''));
  const step = Number(named.get('step') ?? 0);
  const path = named.get('path') ?? '';
  return {
    source: named.get('source'),
    step: Number.isInteger(step) && step >= 0 ? step : 0,
    path: /^\d+(\.\d+)*$/.test(path) ? path.split('.').map(Number) : [],
  };
}

export function hashOf({ source, step, path }: Address): string {
  const named = [
    ...(source === null ? [] : [`source=${encodeURIComponent(source)}`]),
    `step=${step}`,
    ...(path.length === 0 ? [] : [`path=${path.join('.')}`]),
  ];
  return `#${named.join('&')}`;
}
