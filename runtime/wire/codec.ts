import type { Message, SiteId } from '../../machines/actor.ts';
import type { VectorClock } from '../../machines/record.ts';
import type { StampedEnvelope } from '../api/peer.ts';
import { type Frame, frameCodes, type Identity, magic, protocolVersion } from './frames.ts';
import { type Field, type Layout, type Shape, shapesOf } from './layout.ts';
import { maxNameBytes, Names } from './names.ts';
import { lengthBytes, Writer } from './writer.ts';

export interface CodecOptions {
  /** All of the cluster, in any order: those of every site together have the same places. */
  readonly members: readonly SiteId[];
  readonly layout: Layout;
}

/**
 * Frames to bytes: a length of four bytes, big-endian, then a byte for the frame's type, then its fields. Counts take
 * as many bytes as they need, names are UTF-8 behind the count of their bytes, members are counts: their places.
 */
export class Codec {
  readonly members: readonly SiteId[];
  readonly shapes: readonly Shape[];
  /** Bytes of the longest frame that there can be, without its length: no peer may have more than that kept for it. */
  readonly longestFrame: number;
  readonly names = new Names();
  readonly #places: ReadonlyMap<SiteId, number>;
  readonly #shapes: ReadonlyMap<string, Shape>;

  constructor({ members, layout }: CodecOptions) {
    this.members = members.toSorted((one, other) => (one < other ? -1 : 1));
    this.#places = new Map(this.members.map((site, place) => [site, place]));
    this.shapes = shapesOf(layout);
    this.#shapes = new Map(this.shapes.map((shape) => [shape.type, shape]));
    this.longestFrame = longestFrame(this.members.length, this.shapes);
  }

  encode(frame: Frame): Buffer {
    const writer = new Writer();
    this.write(frame, writer);
    return writer.take()[0]!;
  }

  write(frame: Frame, writer: Writer): void {
    if (frame.type === 'data') {
      this.writeData(frame.seq, frame.ack, frame.envelope, writer);
      return;
    }
    writer.reserve(lengthBytes + this.longestFrame);
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
    writer.reserve(lengthBytes + this.longestFrame);
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
    writer.count(this.#place(source));
    writer.count(this.#place(target));
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
    const counts = Object.entries(clock).map(([site, count]) => [this.#place(site), count] as const);
    writer.count(counts.length + 1);
    for (const [place, count] of counts.sort(([one], [other]) => one - other)) {
      writer.count(place);
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
        writer.count(this.#place(value as SiteId));
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
        this.#writeIds(value as Readonly<Record<SiteId, string>>, writer);
        return;
      default:
        field satisfies never;
    }
  }

  #writeIds(ids: Readonly<Record<SiteId, string>>, writer: Writer): void {
    const entries = Object.entries(ids).map(([site, id]) => [this.#place(site), id] as const);
    writer.count(entries.length);
    for (const [place, id] of entries.sort(([one], [other]) => one - other)) {
      writer.count(place);
      writer.text(id);
    }
  }

  #place(site: SiteId): number {
    const place = this.#places.get(site);
    if (place === undefined) throw new RangeError(`${site} is none of ${this.members.join(', ')}`);
    return place;
  }
}

function writeIdentity(identity: Identity, writer: Writer): void {
  for (const byte of magic) writer.byte(byte);
  writer.count(identity.version);
  writer.text(identity.cluster);
  writer.text(identity.configuration);
  writer.text(identity.site);
  writer.text(identity.target);
  writer.text(identity.incarnation);
  writer.count(identity.life);
  writer.text(identity.id);
  writer.count(identity.run);
}

const countBytes = (most: number): number => (most < 128 ? 1 : 1 + countBytes(Math.floor(most / 128)));
const longestCount = countBytes(Number.MAX_SAFE_INTEGER);
const longestText = (bytes: number) => countBytes(bytes) + bytes;
const longestName = longestText(maxNameBytes);
const longestSiteId = longestText(64);
const type = 1;
const flag = 1;

function longestFrame(members: number, shapes: readonly Shape[]): number {
  const place = countBytes(members - 1);
  const bytesOf = {
    site: place,
    count: longestCount,
    'count?': flag + longestCount,
    flag,
    name: longestName,
    ids: countBytes(members) + members * (place + longestSiteId),
  } satisfies Record<Field, number>;
  const message = Math.max(
    0,
    ...shapes.map(({ fields }) => fields.reduce((sum, field) => sum + bytesOf[field], 1)),
  );
  const clock = countBytes(members + 1) + members * (place + longestCount);
  const data = type + 2 * longestCount + 2 * place + longestName + longestCount + clock + message;
  const welcome =
    type +
    magic.length +
    countBytes(protocolVersion) +
    3 * longestName +
    3 * longestSiteId +
    3 * longestCount;
  return Math.max(data, welcome);
}
