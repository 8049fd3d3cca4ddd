import { connect, type Socket } from 'node:net';
import type { Address } from '../../runtime/api/peer.ts';
import { Flow } from './flow.ts';
import { reset } from './reset.ts';
import type { Way } from './way.ts';

export interface ConnectionOptions {
  /** The socket of the site that dialled. */
  readonly near: Socket;
  /** The present address of the other site; null if it is gone. */
  readonly address: () => Address | null;
  readonly forward: Way;
  readonly backward: Way;
  readonly closed: () => void;
}

/** A connection of two sites as the proxy carries it: two sockets, and a flow each way. */
export class ProxiedConnection {
  readonly #options: ConnectionOptions;
  readonly #near: Socket;
  #far: Socket | null = null;
  #flows: readonly Flow[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#near = options.near;
    this.#prepare(this.#near);
    // A connection needs answers, so no peer is reached while one direction is held.
    options.forward.waiters.add(this.#reach);
    options.backward.waiters.add(this.#reach);
    this.#reach();
  }

  /** Both sides see it break. */
  readonly reset = (): void => {
    this.#stopFlows();
    for (const socket of [this.#near, this.#far]) if (socket !== null) reset(socket);
  };

  /** Both sides see it end, as if the other had closed it. */
  finish(): void {
    this.#stopFlows();
    for (const socket of [this.#near, this.#far]) {
      socket?.end();
      socket?.resume();
    }
  }

  /** One side sees the connection break. The other side sees nothing, and its bytes are dropped. */
  orphan(stays: 'near' | 'far'): void {
    const [gone, left] = stays === 'near' ? [this.#far, this.#near] : [this.#near, this.#far];
    this.#stopFlows();
    if (gone !== null) reset(gone);
    left?.resume();
  }

  readonly #reach = (): void => {
    const { forward, backward, address } = this.#options;
    if (forward.held || backward.held) return;
    this.#stopWaiting();
    const to = address();
    if (to === null) {
      this.reset();
      return;
    }
    const far = connect({ host: to.host, port: to.port, allowHalfOpen: true });
    this.#far = far;
    this.#prepare(far);
    far.once('connect', () => {
      this.#flows = [
        new Flow(forward, this.#near, far, this.reset),
        new Flow(backward, far, this.#near, this.reset),
      ];
    });
    // Before the flows exist, only this handler reports the end.
    far.once('close', () => this.#flows.length === 0 && reset(this.#near));
  };

  #prepare(socket: Socket): void {
    socket.setNoDelay(true);
    // Breaking connections is the purpose of the proxy; `close` follows.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (!this.#near.destroyed || !(this.#far?.destroyed ?? true)) return;
      this.#stopWaiting();
      this.#stopFlows();
      this.#options.closed();
    });
  }

  #stopWaiting(): void {
    this.#options.forward.waiters.delete(this.#reach);
    this.#options.backward.waiters.delete(this.#reach);
  }

  #stopFlows(): void {
    for (const flow of this.#flows) flow.stop();
  }
}
