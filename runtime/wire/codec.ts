import type { Message, SiteId } from '../../machines/actor.ts';
import { type Configuration, idOf, nameOf } from '../../machines/members/configuration.ts';
import type { VectorClock } from '../../machines/record.ts';
import type { Fence } from '../api/fence.ts';
import type { Address, StampedEnvelope } from '../api/peer.ts';
import {
  type Frame,
  frameCodes,
  type Identity,
  magic,
  mostInClock,
  mostSites,
  protocolVersion,
  spokenVersions,
  type Versions,
} from './frames.ts';
import { type Field, type Layout, type Shape, type Since, shapesOf } from './layout.ts';
import { maxNameBytes, Names } from './names.ts';
import { lengthBytes, Writer } from './writer.ts';

/**
 * Frames to bytes: a length of four bytes, big-endian, then a byte for the frame's type, then its fields. Counts take
 * as many bytes as they need; names, of sites too, are UTF-8 behind the count of their bytes.
 */
export class Codec {
  readonly shapes: readonly Shape[];
  /** The versions of the wire that this side speaks. */
  readonly versions: Versions;
  /** Bytes of the longest frame that there can be, without its length: no peer may have more than that kept for it. */
  readonly longestFrame: number;
  readonly names = new Names();
  readonly #shapes: ReadonlyMap<string, Shape>;
  /** Bytes of the longest message of each type. */
  readonly #longest: ReadonlyMap<string, number>;

  /** `since`: for each message that is not of the oldest version. `versions`: default: those of this build; a test plays another one. */
  constructor(layout: Layout, since: Since = {}, versions = spokenVersions) {
    this.shapes = shapesOf(layout, since);
    this.versions = versions;
    this.#shapes = new Map(this.shapes.map((shape) => [shape.type, shape]));
    this.#longest = new Map(this.shapes.map((shape) => [shape.type, longestMessage(shape)]));
    const data = longestHeader + longestName + longestClock + Math.max(0, ...this.#longest.values());
    this.longestFrame = Math.max(data, longestHandshake);
  }

  /** Whether messages of this type may be sent to a side that speaks `version`. */
  isSpoken(type: string, version: number): boolean {
    return (this.#shapes.get(type)?.since ?? 0) <= version;
  }

  encode(frame: Frame): Buffer {
    const writer = new Writer();
    this.write(frame, writer);
    return writer.take()[0]!;
  }

  /** The part of a hello that every version reads: it tells a side outside the range which versions are spoken here. */
  encodeVersions(): Buffer {
    const writer = new Writer();
    writer.reserve(lengthBytes + longestHandshake);
    const begun = writer.begin();
    writer.byte(frameCodes.hello);
    writeVersions(this.versions, writer);
    writer.end(begun);
    return writer.take()[0]!;
  }

  write(frame: Frame, writer: Writer): void {
    if (frame.type === 'data') {
      this.writeData(frame.seq, frame.ack, frame.envelope, writer);
      return;
    }
    const isHandshake = frame.type === 'hello' || frame.type === 'welcome';
    writer.reserve(lengthBytes + (isHandshake ? longestHandshake : type + longestCount));
    const begun = writer.begin();
    writer.byte(frameCodes[frame.type]);
    switch (frame.type) {
      case 'hello':
        writeIdentity(frame, writer);
        break;
      case 'welcome':
        writeIdentity(frame, writer);
        writer.count(frame.ack);
        break;
      case 'ack':
        writer.count(frame.ack);
        break;
      case 'ping':
      case 'pong':
        writer.count(frame.number);
        break;
      case 'bye':
        writer.byte(frame.reason === 'left' ? 1 : 0);
        break;
      default:
        frame satisfies never;
    }
    writer.end(begun);
  }

  /** `write` for a message, without making its frame first. */
  writeData(seq: number, ack: number, envelope: StampedEnvelope, writer: Writer): void {
    const { lock, message, stamp } = envelope;
    // A reserve for the longest of all frames would be new memory for each message.
    const name = Math.min(longestName, longestText(3 * lock.length));
    const clock = stamp.clock === null ? 1 : longestClock;
    writer.reserve(
      lengthBytes + longestHeader + name + clock + (this.#longest.get(message.type) ?? longestCount),
    );
    const begun = writer.begin();
    try {
      writer.byte(frameCodes.data);
      writer.count(seq);
      writer.count(ack);
      this.#writeEnvelope(envelope, writer);
    } catch (error) {
      writer.undo(begun);
      throw error;
    }
    writer.end(begun);
  }

  #writeEnvelope({ source, target, lock, message, stamp }: StampedEnvelope, writer: Writer): void {
    writeSite(source, writer);
    writeSite(target, writer);
    writer.text(lock);
    writer.count(stamp.seq);
    this.#writeClock(stamp.clock, writer);
    this.#writeMessage(message, writer);
  }

  #writeClock(clock: VectorClock | null, writer: Writer): void {
    if (clock === null) {
      writer.count(0);
      return;
    }
    const counts = inOrder(clock, mostInClock);
    writer.count(counts.length + 1);
    for (const [site, count] of counts) {
      writeSite(site, writer);
      writer.count(count);
    }
  }

  #writeMessage(message: Message, writer: Writer): void {
    const shape = this.#shapes.get(message.type);
    if (!shape) throw new RangeError(`the layout has no ${message.type}`);
    const { code, keys, fields } = shape;
    writer.byte(code);
    for (let i = 0; i < keys.length; i++) {
      this.#writeField(fields[i]!, (message as Shape['blank'])[keys[i]!], writer);
    }
  }

  #writeField(field: Field, value: unknown, writer: Writer): void {
    switch (field) {
      case 'site':
        writeSite(value as SiteId, writer);
        return;
      case 'count':
        writer.count(value as number);
        return;
      case 'count?':
        writer.byte(value === null ? 0 : 1);
        if (value !== null) writer.count(value as number);
        return;
      case 'flag':
        writer.byte(value ? 1 : 0);
        return;
      case 'name':
        writer.text(value as string);
        return;
      case 'ids':
        writeIds(inOrder(value as Readonly<Record<SiteId, string>>), writer);
        return;
      case 'configuration': {
        const { term, version, base, voters } = value as Configuration;
        for (const count of [term, version, base]) writer.count(count);
        const ids = Object.keys(voters).map((voter) => [nameOf(voter), idOf(voter)] as const);
        writeIds(inOrder(Object.fromEntries(ids)), writer);
        return;
      }
      case 'addresses':
        writeAddresses(inOrder(value as Readonly<Record<SiteId, Address>>), writer);
        return;
      case 'fence': {
        const { generation, epoch, k } = value as Fence;
        for (const count of [generation, epoch, k]) writer.count(count);
        return;
      }
      case 'sites':
        writeSites(value as readonly SiteId[], writer);
        return;
      default:
        field satisfies never;
    }
  }
}

function inOrder<T>(of: Readonly<Record<string, T>>, most = mostSites): (readonly [string, T])[] {
  const entries = Object.entries(of);
  if (entries.length > most) throw new RangeError(`expected at most ${most} sites, not ${entries.length}`);
  return entries.sort(([one], [other]) => (one < other ? -1 : 1));
}

function writeIds(ids: readonly (readonly [SiteId, string])[], writer: Writer): void {
  writer.count(ids.length);
  for (const [site, id] of ids) {
    writeSite(site, writer);
    writeSite(id, writer);
  }
}

function writeAddresses(addresses: readonly (readonly [SiteId, Address])[], writer: Writer): void {
  writer.count(addresses.length);
  for (const [site, { host, port }] of addresses) {
    writeSite(site, writer);
    writer.text(host);
    writer.count(port);
  }
}

function writeSites(sites: readonly SiteId[], writer: Writer): void {
  const { length } = sites;
  if (length > mostSites) throw new RangeError(`expected at most ${mostSites} sites, not ${length}`);
  writer.count(length);
  for (let i = 0; i < length; i++) writeSite(sites[i]!, writer);
}

/** The length of a site's name is bounded, so that the frame is. */
function writeSite(site: SiteId, writer: Writer): void {
  if (site.length > 64) throw new RangeError(`expected a name of a site, not ${site}`);
  writer.text(site);
}

function writeVersions({ version, oldest }: Versions, writer: Writer): void {
  for (const byte of magic) writer.byte(byte);
  writer.count(version);
  writer.count(oldest);
}

function writeIdentity(identity: Identity, writer: Writer): void {
  writeVersions(identity, writer);
  writer.text(identity.cluster);
  writer.text(identity.configuration);
  writer.text(identity.founders);
  writer.text(identity.site);
  writer.text(identity.target);
  writer.text(identity.incarnation);
  writer.count(identity.life);
  writer.text(identity.id);
  writer.count(identity.run);
  writer.text(identity.host);
  writer.count(identity.port);
}

const countBytes = (most: number): number => (most < 128 ? 1 : 1 + countBytes(Math.floor(most / 128)));
const longestCount = countBytes(Number.MAX_SAFE_INTEGER);
const longestText = (bytes: number) => countBytes(bytes) + bytes;
const longestName = longestText(maxNameBytes);
const longestSiteId = longestText(64);
const type = 1;
const flag = 1;

const longestHeader = type + 3 * longestCount + 2 * longestSiteId;
const longestClock = countBytes(mostInClock + 1) + mostInClock * (longestSiteId + longestCount);
const longestHandshake =
  type + magic.length + countBytes(protocolVersion) + 5 * longestName + 3 * longestSiteId + 5 * longestCount;
const longestIds = countBytes(mostSites) + mostSites * 2 * longestSiteId;
const longestField: Readonly<Record<Field, number>> = {
  site: longestSiteId,
  count: longestCount,
  'count?': flag + longestCount,
  flag,
  name: longestName,
  ids: longestIds,
  configuration: 3 * longestCount + longestIds,
  addresses: countBytes(mostSites) + mostSites * (longestSiteId + longestName + longestCount),
  fence: 3 * longestCount,
  sites: countBytes(mostSites) + mostSites * longestSiteId,
};

function longestMessage({ fields }: Shape): number {
  return fields.reduce((sum, field) => sum + longestField[field], type);
}
