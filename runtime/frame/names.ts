import { isUtf8 } from 'node:buffer';

/** Of clusters, locks and incarnations: nothing that a terminal would obey. */
export const namePattern = /^\P{C}{1,128}$/u;

/** Of the UTF-8 of a name. */
export const maxNameBytes = 4 * 128;

const slots = 1024;

/**
 * Names out of bytes: the same few come again and again, so each is looked up by its bytes before it is made and
 * checked. A name whose place is taken by another takes it over; so it never holds more than its places.
 */
export class Names {
  readonly #names: string[] = new Array(slots).fill('');
  readonly #bytes: Buffer[] = new Array(slots).fill(Buffer.alloc(0));

  /** The name that these bytes are, or null when they are no UTF-8 or no name. */
  read(bytes: Buffer, start: number, end: number): string | null {
    let hash = end - start;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    const known = this.#bytes[slot]!;
    if (isSame(known, bytes, start, end)) return this.#names[slot]!;
    const own = Buffer.from(bytes.subarray(start, end));
    if (!isUtf8(own)) return null;
    const name = own.toString();
    if (!namePattern.test(name)) return null;
    this.#bytes[slot] = own;
    this.#names[slot] = name;
    return name;
  }
}

function isSame(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const { length } = known;
  if (length === 0 || length !== end - start) return false;
  for (let at = 0; at < length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}
