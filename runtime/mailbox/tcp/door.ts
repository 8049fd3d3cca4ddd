import type { AddressInfo, Server, Socket } from 'node:net';
import type { Clock } from '../../doors.ts';
import { OperatingError } from '../../errors.ts';
import type { Address, Limits } from '../../options.ts';
import { listenAt, type Proven, remoteOf, type Transport } from './transport.ts';

export interface DoorOptions {
  readonly transport: Transport;
  readonly limits: Pick<Limits, 'maxHandshakes' | 'handshakeTimeoutMs'>;
  readonly clock: Clock;
  /** Bytes can go both ways. `known` is to be called when it is known who that is, or when it is over. */
  readonly admit: (socket: Socket, proven: Proven, known: () => void) => void;
  readonly refused: (error: OperatingError, remote: string | null) => void;
}

/** One who has called, and of whom it is not known yet who that is. */
interface Stranger {
  readonly socket: Socket;
  /** The machine. */
  readonly host: string;
  /** What it has shown a certificate or the secret for. */
  proven: Proven;
  readonly stopTimer: () => void;
}

/**
 * Where others come in. A stranger has `handshakeTimeoutMs` from its first packet to the welcome, and there is room for
 * `maxHandshakes` of them. For one more, the place is taken of the one that has had it longest, among those of the
 * machine that has the most places and, if possible, among those that have proved nothing: so whoever fills the room
 * pushes out itself, and a peer, which needs its place for a few round trips, is not kept out by those who stay. Of those
 * that prove the same, the newest is kept.
 */
export class Door {
  readonly #options: DoorOptions;
  /** By `remoteOf`, the longest waiting first. */
  readonly #strangers = new Map<string, Stranger>();
  readonly #greet: (socket: Socket) => void;
  #server: Server | null = null;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#greet = options.transport.greet({
      stands: (socket, proven) => this.#admit(socket, proven),
      refused: options.refused,
    });
  }

  /** Where it is, once it is open. */
  get address(): Address {
    const { address, port } = this.#server!.address() as AddressInfo;
    return { host: address, port };
  }

  /** Rejects with what the kernel says. `failed`: of what it says later. */
  async open(listen: Address, failed: (cause: Error) => void): Promise<void> {
    const server = listenAt(listen, (socket) => this.#enter(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', reject);
    });
    server.removeAllListeners('error');
    server.on('error', failed);
    this.#server = server;
  }

  /** Resolves when all who came in are gone, which is for others to see to; those who have not said who they are, go now. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#server) this.#server.close(() => resolve());
      else resolve();
    });
    for (const { socket } of this.#strangers.values()) socket.destroy();
    await closed;
  }

  #enter(socket: Socket): void {
    const { limits, clock } = this.#options;
    const { remoteAddress: host } = socket;
    if (host === undefined) {
      // It is gone already.
      socket.destroy();
      return;
    }
    if (this.#strangers.size >= limits.maxHandshakes) this.#makeRoom();
    const remote = remoteOf(socket);
    const stopTimer = clock.after(limits.handshakeTimeoutMs, () =>
      this.#turnAway(
        remote,
        'HANDSHAKE_TIMEOUT',
        `expected a hello and a welcome within ${limits.handshakeTimeoutMs} ms, they did not come`,
      ),
    );
    this.#strangers.set(remote, { socket, host, proven: null, stopTimer });
    socket.once('close', () => this.#forget(remote));
    this.#greet(socket);
  }

  #admit(socket: Socket, proven: Proven): void {
    const remote = remoteOf(socket);
    const stranger = this.#strangers.get(remote);
    if (!stranger) {
      socket.destroy();
      return;
    }
    for (const earlier of this.#strangers.values())
      if (isSame(earlier.proven, proven)) earlier.socket.destroy();
    stranger.proven = proven;
    this.#options.admit(socket, proven, () => this.#forget(remote));
  }

  #forget(remote: string): void {
    this.#strangers.get(remote)?.stopTimer();
    this.#strangers.delete(remote);
  }

  #makeRoom(): void {
    const all = [...this.#strangers];
    const unproved = all.filter(([, stranger]) => stranger.proven === null);
    const candidates = unproved.length > 0 ? unproved : all;
    const places = new Map<string, number>();
    for (const [, { host }] of candidates) places.set(host, (places.get(host) ?? 0) + 1);
    const most = Math.max(...places.values());
    const [remote] = candidates.find(([, { host }]) => places.get(host) === most)!;
    const { maxHandshakes } = this.#options.limits;
    this.#turnAway(
      remote,
      'TOO_MANY_HANDSHAKES',
      `expected at most ${maxHandshakes} connections without a hello: the oldest goes`,
    );
  }

  #turnAway(remote: string, code: 'HANDSHAKE_TIMEOUT' | 'TOO_MANY_HANDSHAKES', why: string): void {
    const stranger = this.#strangers.get(remote);
    this.#forget(remote);
    this.#options.refused(new OperatingError(code, why), remote);
    stranger?.socket.destroy();
  }
}

function isSame(one: Proven, other: Proven): boolean {
  return one !== null && other !== null && one.join() === other.join();
}
