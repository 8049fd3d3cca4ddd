import { connect, type Socket } from 'node:net';
import { type Arbitrary, array, boolean, constant, constantFrom, integer, oneof, record } from 'fast-check';
import type { Message, SiteId } from '../../machines/actor.ts';
import type { Address } from '../api/peer.ts';
import { founded } from '../mailbox/tcp/handshake.ts';
import type { Codec } from '../wire/codec.ts';
import { Decoder } from '../wire/decoder.ts';
import { type Frame, type Identity, oldestVersion, protocolVersion } from '../wire/frames.ts';
import type { Field, Layout } from '../wire/layout.ts';

/** A message of a lock whose numbers are told from the epoch that its receiver has now. */
export type Draft = (epoch: number) => Message;

/** Any message of `layout`, every field of its kind and no more: well-formed, and hardly ever what a correct site says. */
export function anyMessage(layout: Layout, members: readonly SiteId[], self: SiteId): Arbitrary<Draft> {
  const count: Arbitrary<(epoch: number) => number> = oneof(
    {
      weight: 6,
      arbitrary: integer({ min: -1, max: 2 }).map((off) => (epoch: number) => Math.max(0, epoch + off)),
    },
    { weight: 2, arbitrary: integer({ min: 0, max: 8 }).map((value) => () => value) },
    {
      weight: 1,
      arbitrary: constantFrom(2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER).map((value) => () => value),
    },
  );
  const fields: Readonly<Record<Field, Arbitrary<(epoch: number) => unknown>>> = {
    site: oneof({ weight: 2, arbitrary: constant(self) }, constantFrom(...members)).map((site) => () => site),
    count,
    'count?': oneof(
      { weight: 2, arbitrary: count },
      constant(() => null),
    ),
    flag: boolean().map((value) => () => value),
    name: constant(() => 'name'),
    configuration: array(constantFrom(...members), { minLength: 1, maxLength: members.length })
      .chain((named) => record({ term: count, version: count, base: count, named: constant(named) }))
      .map(({ term, version, base, named }) => (epoch: number) => ({
        term: term(epoch),
        version: version(epoch),
        base: base(epoch),
        voters: Object.fromEntries(named.map((name) => [`${name}/of-${name}`, true])),
      })),
    addresses: array(constantFrom(...members), { maxLength: members.length }).map(
      (named) => () => Object.fromEntries(named.map((id) => [id, { host: '127.0.0.1', port: 1 }])),
    ),
    fence: count.map((k) => (epoch: number) => ({ generation: 1, epoch, k: k(epoch) })),
    ids: array(constantFrom(...members), { maxLength: members.length }).map(
      (named) => () => Object.fromEntries(named.map((id) => [id, `of-${id}`])),
    ),
  };
  const shapes = Object.entries(layout).map(([type, kinds]) =>
    record(Object.fromEntries(Object.entries(kinds).map(([key, kind]) => [key, fields[kind]]))).map(
      (drawn): Draft =>
        (epoch) =>
          ({
            type,
            ...Object.fromEntries(Object.entries(drawn).map(([key, of]) => [key, of(epoch)])),
          }) as Message,
    ),
  );
  return oneof(...shapes);
}

/** Some messages in a row. */
export const someMessages = (one: Arbitrary<Draft>): Arbitrary<readonly Draft[]> =>
  array(one, { minLength: 1, maxLength: 30 });

export interface HostileOptions {
  readonly identity: Pick<Identity, 'cluster' | 'configuration' | 'site' | 'id'>;
  readonly target: SiteId;
  readonly address: Address;
  readonly codec: Codec;
  /** A message of its target has come. */
  readonly heard: (lock: string, message: Message) => void;
}

/**
 * A member that keeps to the handshake and the link, and says what it likes. Whenever its connection is closed it comes back
 * in another life.
 */
export class HostileMember {
  /** How many of its connections were closed. */
  closed = 0;
  readonly #options: HostileOptions;
  #lives = 0;
  #socket: Socket | null = null;
  #sent = 0;
  #seen = 0;

  constructor(options: HostileOptions) {
    this.#options = options;
  }

  /** Says `message` of `lock`, on a new connection where the last one is closed. False: it could not be met. */
  async say(lock: string, message: Message): Promise<boolean> {
    if ((this.#socket === null || this.#socket.destroyed) && !(await this.#meet())) return false;
    const { identity, target } = this.#options;
    this.#sent += 1;
    this.#write({
      type: 'data',
      seq: this.#sent,
      ack: this.#seen,
      envelope: { source: identity.site, target, lock, message, stamp: { seq: this.#sent, clock: null } },
    });
    return true;
  }

  /** Resolves when what was said has been read, or the connection is closed for it. */
  async settle(): Promise<void> {
    const socket = this.#socket;
    if (!socket || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.once('ponged', resolve).once('close', () => resolve());
      this.#write({ type: 'ping', number: 1 });
    });
  }

  leave(): void {
    this.#socket?.destroy();
  }

  async #meet(): Promise<boolean> {
    const { identity, target, address, codec } = this.#options;
    this.#lives += 1;
    const me = {
      ...identity,
      version: protocolVersion,
      oldest: oldestVersion,
      founders: founded,
      host: '127.0.0.1',
      port: 1,
      target,
      incarnation: `hostile-${this.#lives}`,
      run: this.#lives,
      life: 1,
    } as const;
    const socket = connect({ ...address });
    this.#socket = socket;
    this.#sent = 0;
    this.#seen = 0;
    socket
      .on('error', () => undefined)
      .on('close', () => {
        this.closed += 1;
      });
    const decoder = new Decoder(codec);
    const met = new Promise<boolean>((resolve) => {
      socket.on('close', () => resolve(false));
      socket.on('data', (chunk: Buffer) => {
        decoder.push(chunk);
        for (let frame = decoder.next(); frame; frame = decoder.next()) {
          if (frame.type === 'data') {
            this.#seen = frame.seq;
            this.#options.heard(frame.envelope.lock, frame.envelope.message);
          }
          if (frame.type === 'ping') this.#write({ type: 'pong', number: frame.number });
          if (frame.type === 'pong') socket.emit('ponged');
          if (frame.type === 'welcome') {
            this.#write({ type: 'welcome', ...me, ack: 0 });
            resolve(true);
          }
        }
      });
    });
    socket.on('connect', () => this.#write({ type: 'hello', ...me }));
    return met;
  }

  #write(frame: Frame): void {
    if (this.#socket?.writable) this.#socket.write(this.#options.codec.encode(frame));
  }
}
