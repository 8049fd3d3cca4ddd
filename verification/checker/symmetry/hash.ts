/** Spreads the bits of a 32-bit integer over the whole integer (the finalizer of MurmurHash3). */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

export function hashLabel(seed: number, label: number): number {
  return mix(Math.imul(seed, 0x9e3779b1) + label + 0x7f4a7c15);
}
