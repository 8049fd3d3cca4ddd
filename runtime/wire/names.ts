import { isUtf8 } from 'node:buffer';
import { longestName } from '../../machines/watch.ts';

/** Names of locks and incarnations hold nothing that a terminal would obey. */
export const namePattern = new RegExp(`^\\P{C}{1,${longestName}}$`, 'u');

/** The same for the name of a cluster, which is shorter. */
export const clusterPattern = /^\P{C}{1,128}$/u;

/** Stands for the name of a lock in messages about the cluster itself; no lock may have this name. */
export const membersLock = '@members';

/** Maximum length of a name in UTF-8. */
export const maxNameBytes = 4 * longestName;

/** A longer name is made each time it comes: so the names that are kept take some megabytes at most. */
const maxKeptBytes = 512;

/** Number of entries at first and at most. */
const places = { least: 1_024, most: 16_384 };

/**
 * Names out of bytes: the same ones come again and again, so each is looked up by its bytes before it is made and
 * checked. A name whose place is taken by another takes it over; where that happens often there become more places.
 */
export class Names {
  #names: string[] = [];
  /** The bytes of each name that are not its characters; `null`: they are. */
  #bytes: (Buffer | null)[] = [];
  /** How many have been taken over since there were more. */
  #lost = 0;

  constructor() {
    this.#have(places.least);
  }

  /** The name that these bytes are, or null when they are no UTF-8 or no name. */
  read(bytes: Buffer, start: number, end: number): string | null {
    let hash = end - start;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const place = (hash ^ (hash >>> 15)) & (this.#names.length - 1);
    const known = this.#names[place]!;
    const knownBytes = this.#bytes[place]!;
    if (knownBytes === null ? isAscii(known, bytes, start, end) : isSame(knownBytes, bytes, start, end))
      return known;
    const own = Buffer.from(bytes.subarray(start, end));
    if (!isUtf8(own)) return null;
    const name = own.toString();
    if (!namePattern.test(name)) return null;
    if (own.length > maxKeptBytes) return name;
    this.#bytes[place] = own.length === name.length ? null : own;
    this.#names[place] = name;
    if (known.length > 0) this.#lose();
    return name;
  }

  #lose(): void {
    const { length } = this.#names;
    this.#lost += 1;
    if (this.#lost >= length && length < places.most) this.#have(2 * length);
  }

  #have(count: number): void {
    this.#lost = 0;
    this.#names = new Array(count).fill('');
    this.#bytes = new Array(count).fill(null);
  }
}

/** Reports whether each of these bytes is a character of `known`, which is ASCII. One object is read in place of two. */
function isAscii(known: string, bytes: Buffer, start: number, end: number): boolean {
  const { length } = known;
  if (length === 0 || length !== end - start) return false;
  for (let at = 0; at < length; at++) if (known.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
}

function isSame(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const { length } = known;
  if (length === 0 || length !== end - start) return false;
  for (let at = 0; at < length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}
