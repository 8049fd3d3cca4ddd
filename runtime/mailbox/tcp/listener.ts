import type { Clock } from '../../api/clock.ts';
import { OperatingError } from '../../api/errors.ts';
import type { Address } from '../../api/peer.ts';
import type { Limits } from '../../options/schema.ts';
import type { Listening, Pipe, Proven, Transport } from '../pipe.ts';
import { remoteOf } from './transport.ts';

export interface ListenerOptions {
  readonly transport: Transport;
  readonly limits: Pick<Limits, 'maxHandshakes' | 'handshakeTimeoutMs'>;
  readonly clock: Clock;
  /** Bytes can go both ways. `known` is to be called when the caller is identified, or the connection is closed. */
  readonly admit: (socket: Pipe, proven: Proven, known: () => void) => void;
  readonly refused: (error: OperatingError, remote: string | null) => void;
}

/** A connection whose other side is not identified yet. */
interface Stranger {
  readonly socket: Pipe;
  readonly remote: string;
  /** The machine. */
  readonly host: string;
  /** The name that the other side has proved, by a certificate or the secret. */
  proven: Proven;
  stopTimer: () => void;
}

/**
 * Where others come in. A stranger has `handshakeTimeoutMs` from its first packet to the welcome, and there is room for
 * `maxHandshakes` of them. For one more, the place is taken of the one that has had it longest, among those of the
 * machine that has the most places and, if possible, among those that have proved nothing: so a host that fills the room
 * pushes out itself, and a peer, which needs its place for a few round trips, is not kept out. Among connections
 * that prove the same, the newest is kept.
 */
export class Listener {
  readonly #options: ListenerOptions;
  /** Connections by `remote`, the oldest first. */
  readonly #strangers = new Map<string, Stranger>();
  readonly #greet: (socket: Pipe) => void;
  #listening: Listening | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#greet = options.transport.greet({
      stands: (socket, proven) => this.#admit(socket, proven),
      refused: options.refused,
    });
  }

  /** The address, once it is open. */
  get address(): Address {
    return this.#listening!.address;
  }

  /** Rejects with why it cannot listen. `failed`: of what goes wrong later. */
  async open(listen: Address, failed: (cause: Error) => void): Promise<void> {
    const { transport } = this.#options;
    this.#listening = await transport.listen(listen, (socket) => this.#enter(socket), failed);
  }

  /** It does not keep the process alive any more. */
  unref(): void {
    this.#listening?.unref();
  }

  /** Closes connections that are not identified. Resolves when all others are closed too, by their owner. */
  async close(): Promise<void> {
    const closed = this.#listening?.close();
    for (const { socket } of this.#strangers.values()) socket.destroy();
    await closed;
  }

  #enter(socket: Pipe): void {
    // Before anything else: one that is reset has an error to tell, and is closed next.
    socket.on('error', () => undefined);
    const { limits, clock } = this.#options;
    const { remoteAddress: host } = socket;
    if (host === undefined) {
      // It is gone already.
      socket.destroy();
      return;
    }
    if (this.#strangers.size >= limits.maxHandshakes) this.#makeRoom();
    const remote = remoteOf(socket);
    const stranger: Stranger = { socket, remote, host, proven: null, stopTimer: () => {} };
    const expected = `expected a hello and a welcome within ${limits.handshakeTimeoutMs} ms`;
    stranger.stopTimer = clock.after(limits.handshakeTimeoutMs, () =>
      this.#turnAway(stranger, 'HANDSHAKE_TIMEOUT', `${expected}, they did not come`),
    );
    this.#strangers.set(remote, stranger);
    socket.once('close', () => this.#forget(stranger));
    this.#greet(socket);
  }

  #admit(socket: Pipe, proven: Proven): void {
    const stranger = this.#strangers.get(remoteOf(socket));
    if (!stranger) {
      socket.destroy();
      return;
    }
    for (const earlier of this.#strangers.values())
      if (isSame(earlier.proven, proven)) earlier.socket.destroy();
    stranger.proven = proven;
    this.#options.admit(socket, proven, () => this.#forget(stranger));
  }

  #forget(stranger: Stranger): void {
    stranger.stopTimer();
    // The same port may have called again.
    if (this.#strangers.get(stranger.remote) === stranger) this.#strangers.delete(stranger.remote);
  }

  #makeRoom(): void {
    const all = [...this.#strangers.values()];
    const unproved = all.filter(({ proven }) => proven === null);
    const candidates = unproved.length > 0 ? unproved : all;
    const places = new Map<string, number>();
    for (const { host } of candidates) places.set(host, (places.get(host) ?? 0) + 1);
    const most = Math.max(...places.values());
    const oldest = candidates.find(({ host }) => places.get(host) === most)!;
    const expected = `expected at most ${this.#options.limits.maxHandshakes} connections without a hello`;
    this.#turnAway(oldest, 'TOO_MANY_HANDSHAKES', `${expected}: the oldest goes`);
  }

  #turnAway(stranger: Stranger, code: 'HANDSHAKE_TIMEOUT' | 'TOO_MANY_HANDSHAKES', why: string): void {
    this.#forget(stranger);
    this.#options.refused(new OperatingError(code, why), stranger.remote);
    stranger.socket.destroy();
  }
}

function isSame(one: Proven, other: Proven): boolean {
  return one !== null && other !== null && one.join() === other.join();
}
