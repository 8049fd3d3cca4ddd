import { EventEmitter } from 'node:events';
import type { ClusterEvents } from '../api/cluster.ts';
import { throwUncaught } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';

type Listener<E extends keyof ClusterEvents> = (what: ClusterEvents[E]) => void;

/**
 * Calls the listeners of each event. An error that a listener throws becomes an uncaught exception, and does not reach
 * the site.
 */
export class Events {
  // A service has as many listeners as it has parts.
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  /** The notices from before `begin`, when no listener could be there yet. */
  #early: Notice[] | null = [];

  on<E extends keyof ClusterEvents>(event: E, listener: Listener<E>): void {
    this.#emitter.on(event, listener);
  }

  off<E extends keyof ClusterEvents>(event: E, listener: Listener<E>): void {
    this.#emitter.off(event, listener);
  }

  /** Whether any subscriber listens to all events. */
  get areHeard(): boolean {
    return this.#emitter.listenerCount('notice') > 0;
  }

  start(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const notice of early) this.publish(notice);
  }

  readonly publish = (notice: Notice): void => {
    if (this.#early) {
      this.#early.push(notice);
      return;
    }
    switch (notice.type) {
      case 'up':
      case 'down':
      case 'restarted':
        this.#emit('peer', notice);
        break;
      case 'adopted':
        this.#emit('epoch', { lock: notice.lock, epoch: notice.epoch, root: notice.root });
        break;
      case 'elected':
        this.#emit('elected', { lock: notice.lock, epoch: notice.epoch, root: notice.root });
        break;
      case 'lost':
        this.#emit('lost', { lock: notice.lock, fence: notice.fence });
    }
    this.#emit('notice', notice);
  };

  #emit<E extends keyof ClusterEvents>(event: E, what: ClusterEvents[E]): void {
    for (const listener of this.#emitter.listeners(event))
      try {
        listener(what);
      } catch (error) {
        throwUncaught(error);
      }
  }
}
