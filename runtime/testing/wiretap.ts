import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../index.ts';
import { anyPort } from './cluster.ts';

/** Bytes of one way of one connection. */
export type Way = 'there' | 'back';

/** Somebody on the network: passes connections on to `target`, keeps what goes over them, and changes it where told. */
export class Wiretap {
  /** The bytes that the first connection has carried. */
  readonly kept: Readonly<Record<Way, Buffer[]>> = { there: [], back: [] };
  accepted = 0;
  #flip: Way | null = null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: Address) {
    this.#server = createServer((near) => {
      this.accepted += 1;
      const far = connect({ ...target });
      this.#pass(near, far, 'there', this.accepted === 1);
      this.#pass(far, near, 'back', this.accepted === 1);
    });
  }

  static async open(target: Address): Promise<Wiretap> {
    const tap = new Wiretap(target);
    tap.#server.listen(anyPort);
    await once(tap.#server, 'listening');
    return tap;
  }

  get address(): Address {
    return { host: anyPort.host, port: (this.#server.address() as { port: number }).port };
  }

  /** Flips a bit in the middle of what goes there or back next. */
  flip(way: Way): void {
    this.#flip = way;
  }

  get flipped(): boolean {
    return this.#flip === null;
  }

  /** Ends what there is; new connections pass. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #pass(from: Socket, to: Socket, way: Way, keep: boolean): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      if (keep) this.kept[way].push(Buffer.from(chunk));
      if (this.#flip === way) {
        this.#flip = null;
        const middle = chunk.length >> 1;
        chunk[middle] = chunk[middle]! ^ 1;
      }
      to.write(chunk);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => this.#sockets.delete(from));
  }
}
