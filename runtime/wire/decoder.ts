import { isUtf8 } from 'node:buffer';
import type { Message, SiteId } from '../../machines/actor.ts';
import { type Configuration, voterOf } from '../../machines/members/configuration.ts';
import type { VectorClock } from '../../machines/record.ts';
import { longestName } from '../../machines/watch.ts';
import { OperatingError } from '../api/errors.ts';
import type { Address } from '../api/peer.ts';
import type { Codec } from './codec.ts';
import {
  anySite,
  type DataFrame,
  type Frame,
  frameCodes,
  type Identity,
  magic,
  mostInClock,
  mostSites,
  siteIdPattern,
  type Versions,
} from './frames.ts';
import type { Field } from './layout.ts';
import { maxNameBytes } from './names.ts';
import { lengthBytes } from './writer.ts';

/**
 * Frames out of a stream that arrives in pieces of any size. It parses or refuses: nothing behind it checks the shape
 * of a frame again. After it has thrown it is of no more use.
 */
export class Decoder {
  readonly #codec: Codec;
  /** The version that both sides speak: the oldest until the handshake has said more. */
  #version: number;
  #isSpoken = false;
  /** Names of sites that have come, and are such. */
  readonly #sites = new Set<SiteId>();
  /**
   * The bytes that have come and are not read yet: from `#at` on, and behind it, where one frame is in pieces,
   * `#later`.
   */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #later: Buffer[] = [];
  #size = 0;
  /** Number of bytes that must have come before there is more to do. */
  #wanted = lengthBytes;
  /** The end of the frame that is being read. */
  #end = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#version = codec.versions.oldest;
  }

  /** True when the stream, if it ended here, would end within a frame. */
  get partial(): boolean {
    return this.#size > 0;
  }

  /** A hello or a welcome has begun as in every version: the other side speaks one of them. */
  get isSpoken(): boolean {
    return this.#isSpoken;
  }

  push(chunk: Buffer): void {
    if (this.#size === 0) {
      this.#bytes = chunk;
      this.#at = 0;
    } else this.#later.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * The next frame of what has come, or null.
   *
   * Throws `FRAME_TOO_LARGE`, `FRAME_MALFORMED` (its bytes do not add up), `FRAME_UNKNOWN` (they do, and say what this
   * wire has not), `FOREIGN_VERSION`.
   */
  next(): Frame | null {
    if (this.#size < this.#wanted) return null;
    if (this.#later.length > 0) this.#join();
    const length = this.#bytes.readUInt32BE(this.#at);
    const { longestFrame } = this.#codec;
    if (length > longestFrame) {
      throw new OperatingError(
        'FRAME_TOO_LARGE',
        `expected at most ${longestFrame} bytes in a frame, not ${length}; ${guess(this.#bytes.subarray(this.#at, this.#at + lengthBytes))}`,
      );
    }
    if (this.#size < lengthBytes + length) {
      this.#wanted = lengthBytes + length;
      return null;
    }
    const begun = this.#at + lengthBytes;
    this.#at = begun;
    this.#end = begun + length;
    const frame = this.#frame();
    if (this.#at !== this.#end)
      throw malformed(`${this.#end - this.#at} bytes more than a ${frame.type} has`);
    this.#size -= lengthBytes + length;
    this.#wanted = lengthBytes;
    return frame;
  }

  /** Only when as much is here as is wanted, so that a frame in many pieces is copied twice at most. */
  #join(): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), ...this.#later]);
    this.#at = 0;
    this.#later = [];
  }

  #frame(): Frame {
    const code = this.#byte();
    switch (code) {
      case frameCodes.data:
        return this.#data();
      case frameCodes.ack:
        return { type: 'ack', ack: this.#count() };
      case frameCodes.ping:
        return { type: 'ping', number: this.#count() };
      case frameCodes.pong:
        return { type: 'pong', number: this.#count() };
      case frameCodes.bye:
        return { type: 'bye', reason: this.#flag() ? 'left' : 'closed' };
      case frameCodes.hello:
        return { type: 'hello', ...this.#identity() };
      case frameCodes.welcome:
        return { type: 'welcome', ...this.#identity(), ack: this.#count() };
      case openingBrace:
        this.#refuseJson();
    }
    throw unknown(`a frame of type ${code}`);
  }

  #data(): DataFrame {
    const seq = this.#count();
    const ack = this.#count();
    const source = this.#site();
    const target = this.#site();
    const lock = this.#name();
    const stamp = { seq: this.#count(), clock: this.#clock() };
    return { type: 'data', seq, ack, envelope: { source, target, lock, message: this.#message(), stamp } };
  }

  #clock(): VectorClock | null {
    const size = this.#count();
    if (size === 0) return null;
    const clock: Record<SiteId, number> = {};
    let last = '';
    this.#most(size - 1, mostInClock);
    for (let entry = 1; entry < size; entry++) {
      last = this.#siteAfter(last);
      clock[last] = this.#count();
    }
    return clock;
  }

  #message(): Message {
    const code = this.#byte();
    const shape = this.#codec.shapes[code];
    if (!shape || shape.since > this.#version)
      throw unknown(`a message of type ${code} in version ${this.#version} of the wire`);
    const { keys, fields } = shape;
    const message: Message & { [key: string]: unknown } = { ...shape.blank };
    for (let i = 0; i < keys.length; i++) message[keys[i]!] = this.#field(fields[i]!);
    return message;
  }

  #field(field: Field): unknown {
    switch (field) {
      case 'site':
        return this.#site();
      case 'count':
        return this.#count();
      case 'count?':
        return this.#flag() ? this.#count() : null;
      case 'flag':
        return this.#flag();
      case 'name':
        return this.#name();
      case 'ids':
        return this.#ids();
      case 'configuration':
        return this.#configuration();
      case 'addresses':
        return this.#addresses();
      case 'fence':
        return { generation: this.#count(), epoch: this.#count(), k: this.#count() };
      case 'sites':
        return this.#siteList();
      default:
        return field satisfies never;
    }
  }

  #ids(): Readonly<Record<SiteId, string>> {
    const size = this.#count();
    const ids: Record<SiteId, string> = {};
    let last = '';
    this.#most(size);
    for (let entry = 0; entry < size; entry++) {
      last = this.#siteAfter(last);
      ids[last] = this.#site();
    }
    return ids;
  }

  /** No name stands twice: to the locks it would be one site. */
  #configuration(): Configuration {
    const of = { term: this.#count(), version: this.#count(), base: this.#count() };
    const ids = Object.entries(this.#ids());
    if (ids.length === 0) throw unknown('a configuration without voters');
    return { ...of, voters: Object.fromEntries(ids.map(([name, id]) => [voterOf(name, id), true as const])) };
  }

  #addresses(): Readonly<Record<SiteId, Address>> {
    const size = this.#count();
    const addresses: Record<SiteId, Address> = {};
    let last = '';
    this.#most(size);
    for (let entry = 0; entry < size; entry++) {
      last = this.#siteAfter(last);
      const host = this.#name();
      const port = this.#count();
      if (port === 0 || port > 65_535) throw unknown(`port ${port}, expected one from 1 to 65535`);
      addresses[last] = { host, port };
    }
    return addresses;
  }

  /** In one order, and each once. */
  #siteAfter(last: SiteId): SiteId {
    const site = this.#site();
    if (site <= last) throw unknown(`${site} behind ${last}, expected one after it`);
    return site;
  }

  #siteList(): readonly SiteId[] {
    const size = this.#count();
    if (size === 0) return [];
    this.#most(size);
    const sites: SiteId[] = [];
    for (let entry = 0; entry < size; entry++) {
      const site = this.#site();
      if (sites.includes(site)) throw unknown(`a list with ${site} twice`);
      sites.push(site);
    }
    return sites;
  }

  #most(sites: number, most = mostSites): void {
    if (sites > most) throw unknown(`a list of ${sites} sites, expected at most ${most}`);
  }

  #identity(): Identity {
    for (const byte of magic) if (this.#byte() !== byte) throw malformed('a hello of something else');
    this.#isSpoken = true;
    const { versions } = this.#codec;
    const version = this.#count();
    // Versions before it have something else behind their own.
    if (version < versions.oldest) throw foreignVersion(versions, { version, oldest: version });
    const oldest = this.#count();
    if (oldest > versions.version) throw foreignVersion(versions, { version, oldest });
    this.#version = Math.min(version, versions.version);
    return {
      version,
      oldest,
      cluster: this.#name(),
      configuration: this.#name(),
      founders: this.#name(),
      site: this.#site(),
      target: this.#target(),
      incarnation: this.#name(),
      life: this.#life(),
      id: this.#site(),
      run: this.#count(),
      host: this.#name(),
      port: this.#count(),
    };
  }

  #target(): SiteId {
    const name = this.#name();
    if (name !== anySite && !siteIdPattern.test(name))
      throw unknown('a site id with characters that none has');
    return name;
  }

  #life(): number {
    const life = this.#count();
    if (life === 0) throw unknown('life 0, expected one from 1 on');
    return life;
  }

  /** A site's name, or an id. The few that there are come again and again. */
  #site(): SiteId {
    const id = this.#name();
    if (this.#sites.has(id)) return id;
    if (!siteIdPattern.test(id)) throw unknown('a site id with characters that none has');
    if (this.#sites.size >= 4 * mostSites) this.#sites.clear();
    this.#sites.add(id);
    return id;
  }

  #name(): string {
    const length = this.#count();
    if (length > maxNameBytes) throw unknown(`a name of ${length} bytes, expected at most ${maxNameBytes}`);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#end) throw cutShort();
    const name = this.#codec.names.read(this.#bytes, start, this.#at);
    if (name === null) throw unknown(`a name that is not 1 to ${longestName} printable characters in UTF-8`);
    return name;
  }

  #flag(): boolean {
    const byte = this.#byte();
    if (byte > 1) throw malformed(`a flag of ${byte}`);
    return byte === 1;
  }

  #count(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let count = first & 0x7f;
    for (let scale = 0x80; ; scale *= 0x80) {
      const byte = this.#byte();
      count += (byte & 0x7f) * scale;
      if (scale > maxScale || count > Number.MAX_SAFE_INTEGER) throw malformed('a count above 2^53 - 1');
      // One way to write each count.
      if (byte === 0) throw malformed('a count with nothing in its last byte');
      if (byte < 0x80) return count;
    }
  }

  #byte(): number {
    if (this.#at >= this.#end) throw cutShort();
    return this.#bytes[this.#at++]!;
  }

  /** Versions 1 and 2 spoke JSON. */
  #refuseJson(): never {
    const payload = this.#bytes.subarray(this.#at - 1, this.#end);
    const version = isUtf8(payload) ? versionOf(payload.toString()) : null;
    throw version === null
      ? malformed('text')
      : foreignVersion(this.#codec.versions, { version, oldest: version });
  }
}

/** The weight of the last seven bits that a count may have. */
const maxScale = 2 ** 49;
const openingBrace = 0x7b;

const jsonHello = /"type":"(?:hello|welcome)"/;

function versionOf(json: string): number | null {
  if (!jsonHello.test(json)) return null;
  const found = /"version":(\d{1,9})\b/.exec(json);
  return found && Number(found[1]);
}

function foreignVersion(own: Versions, theirs: Versions): OperatingError {
  const remedy = theirs.version < own.oldest ? 'the other site' : 'this site';
  return new OperatingError(
    'FOREIGN_VERSION',
    `expected a site that speaks version ${rangeOf(own)} of the wire, got one that speaks ${rangeOf(theirs)}; upgrade ${remedy}, ` +
      'through the releases in between if there are any',
  );
}

const rangeOf = ({ version, oldest }: Versions) =>
  oldest === version ? `${version}` : `${oldest} to ${version}`;

function cutShort(): OperatingError {
  return malformed('an end in the middle of a field');
}

function malformed(what: string): OperatingError {
  return new OperatingError(
    'FRAME_MALFORMED',
    `malformed frame with ${what}; check which program connects to this port`,
  );
}

function unknown(what: string): OperatingError {
  return new OperatingError('FRAME_UNKNOWN', `unknown frame: ${what}; run the same release at every site`);
}

/** A guess at the sender of bytes that are the length of no frame. */
function guess(bytes: Buffer): string {
  // A record of a handshake (RFC 8446, 5.1).
  if (bytes.readUInt16BE() === 0x1603) return 'it begins as TLS does: here is neither tls nor secret';
  const text = bytes.toString('latin1');
  const letters = /^[\x20-\x7e]+$/.test(text) ? ` (it begins with "${text}")` : '';
  return `does something else speak to this port${letters}?`;
}
