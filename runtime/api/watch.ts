import type { WatchAsk } from '../../machines/watch.ts';
import type { Address } from './peer.ts';

/** A viewer of one site. */
export interface Viewer {
  send(frame: string): void;
  /** Number of bytes that were sent and have not left yet. */
  readonly waiting: number;
  /** Called once the site is closed: nothing more will be sent. */
  closed?(): void;
}

/** A viewer's session at one site, one lock at a time, window by window. */
export interface WatchSession {
  /** Handles a request of the viewer. */
  ask(asked: WatchAsk): void;
  close(): void;
}

/** Options of `serveWatch`. */
export interface WatchServerOptions {
  /** Address to listen at. Default: 127.0.0.1 and a free port. */
  readonly listen?: Partial<Address>;
  /** Token that a viewer must give: `ws://host:port/?token=...`. Required to listen beyond loopback. */
  readonly token?: string;
  /**
   * A program with this token may change the members from outside (`baton members add`). Loopback only, because the token travels unencrypted. At least 16
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
