import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../index.ts';
import { anyPort } from './cluster.ts';

/** A pair of sockets with bytes going both ways. */
interface Pipe {
  readonly sockets: readonly [Socket, Socket];
  /** Bytes that still pass, both ways together; then it is reset. */
  left: number;
}

/** Passes connections on to `target`, and breaks them where the test says, in the middle of a frame or not. */
export class Relay {
  /** How many connections it has passed on. */
  accepted = 0;
  readonly #server: Server;
  readonly #target: Address;
  readonly #pipes = new Set<Pipe>();
  readonly #budget: () => number;
  #stalled = false;

  private constructor(target: Address, budget: () => number) {
    this.#target = target;
    this.#budget = budget;
    this.#server = createServer((socket) => this.#pipe(socket));
  }

  /** `budget`: after how many bytes the next connection is reset. Default: never. */
  static async open(target: Address, budget = () => Number.POSITIVE_INFINITY): Promise<Relay> {
    const relay = new Relay(target, budget);
    relay.#server.listen(anyPort);
    await once(relay.#server, 'listening');
    return relay;
  }

  get address(): Address {
    const { port } = this.#server.address() as { port: number };
    return { host: anyPort.host, port };
  }

  /** Resets what there is; new connections pass. */
  reset(): void {
    for (const pipe of this.#pipes) this.#break(pipe);
  }

  /** Nothing passes, and nothing is said about it, until it is called with `false`. */
  stall(stalled: boolean): void {
    this.#stalled = stalled;
    for (const { sockets } of this.#pipes) for (const socket of sockets) this.#hold(socket);
  }

  close(): void {
    this.reset();
    this.#server.close();
  }

  #pipe(near: Socket): void {
    this.accepted += 1;
    const far = connect({ ...this.#target });
    const pipe: Pipe = { sockets: [near, far], left: this.#budget() };
    this.#pipes.add(pipe);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        to.write(chunk.subarray(0, pipe.left));
        pipe.left -= chunk.length;
        if (pipe.left <= 0) this.#break(pipe);
      });
      from.on('end', () => to.end());
      from.on('error', () => this.#break(pipe));
      this.#hold(from);
    }
  }

  #hold(socket: Socket): void {
    if (this.#stalled) socket.pause();
    else socket.resume();
  }

  // Bytes that were passed on before are delivered: only the rest is lost.
  #break(pipe: Pipe): void {
    if (!this.#pipes.delete(pipe)) return;
    for (const socket of pipe.sockets) {
      if (pipe.left <= 0) socket.end(() => socket.resetAndDestroy());
      else socket.resetAndDestroy();
    }
  }
}
