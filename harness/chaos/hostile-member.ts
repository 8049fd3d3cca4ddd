import type { Message, SiteId } from '../../machines/actor.ts';
import type { Pipe } from '../../runtime/mailbox/pipe.ts';
import { founded } from '../../runtime/mailbox/tcp/handshake.ts';
import type { Codec } from '../../runtime/wire/codec.ts';
import { Decoder } from '../../runtime/wire/decoder.ts';
import { type Frame, type Identity, oldestVersion, protocolVersion } from '../../runtime/wire/frames.ts';

export interface HostileOptions {
  readonly identity: Pick<Identity, 'cluster' | 'configuration' | 'site' | 'id'>;
  readonly target: SiteId;
  /** Opens a connection to the target. */
  readonly dial: () => Pipe;
  readonly codec: Codec;
  /** Called with a message from its target. */
  readonly heard: (lock: string, message: Message) => void;
}

/**
 * A member that keeps to the handshake and the link, and sends any message it likes. Whenever its connection
 * is closed it returns in another run.
 */
export class HostileMember {
  /** Number of its connections that were closed after the handshake. */
  closed = 0;
  readonly #options: HostileOptions;
  #lives = 0;
  #isMet = false;
  #socket: Pipe | null = null;
  #sent = 0;
  #seen = 0;

  constructor(options: HostileOptions) {
    this.#options = options;
  }

  /**
   * Sends `message` of `lock`, on a new connection if the last one is closed. False: the target could not be
   * reached.
   */
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

  /** Resolves when the messages have been read, or the connection has been closed for them. */
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
    const { identity, target, dial, codec } = this.#options;
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
    const socket = dial();
    this.#socket = socket;
    this.#sent = 0;
    this.#seen = 0;
    socket
      .on('error', () => undefined)
      .on('close', () => {
        if (socket === this.#socket && this.#isMet) this.closed += 1;
        this.#isMet = false;
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
            this.#isMet = true;
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
