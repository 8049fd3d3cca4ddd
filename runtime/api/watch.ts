import type { WatchAsk } from '../../machines/watch.ts';
import type { Address } from './peer.ts';

/** A viewer of one site. */
export interface Viewer {
  send(frame: string): void;
  /** Bytes that were sent and have not left yet. */
  readonly waiting: number;
}

/** A viewer's session at one site, one lock at a time, window by window. */
export interface WatchSession {
  /** Takes what the viewer asks for. */
  ask(asked: WatchAsk): void;
  close(): void;
}

/** How `serveWatch` serves. */
export interface WatchServerOptions {
  /** Default: 127.0.0.1, and a free port. */
  readonly listen?: Partial<Address>;
  /** A viewer must give it: `ws://host:port/?token=...`. Needed to listen beyond loopback. */
  readonly token?: string;
  /**
   * Who gives it may change the members from outside (`baton members add`); on loopback only, since it travels in the clear. At least 16
   * characters. Default: nobody may.
   */
  readonly adminToken?: string;
}

/** A WebSocket server through which others watch a site. */
export interface WatchServer {
  readonly address: Address;
  /** `ws://127.0.0.1:4800/`, without the token. */
  readonly url: string;
  close(): Promise<void>;
}
