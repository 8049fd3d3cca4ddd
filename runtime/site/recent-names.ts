const entries = 2 ** 20;

/** FNV-1a, 32 bits. */
export function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/**
 * The names that were added last, some million of them in 2 MiB: a name takes the place of one added before. It has 12 bits of its hash there, so that
 * one name in 4,096 is taken for one of them by mistake. (As the queue A1out of T. Johnson, D. Shasha, 2Q, VLDB 1994.)
 */
export class RecentNames {
  readonly #tags = new Uint16Array(entries);

  add(name: string): void {
    const hash = hashOf(name);
    this.#tags[hash % entries] = tagOf(hash);
  }

  has(name: string): boolean {
    const hash = hashOf(name);
    return this.#tags[hash % entries] === tagOf(hash);
  }
}

/** Above 0, since an empty entry is 0. */
const tagOf = (hash: number) => Math.floor(hash / entries) + 1;
