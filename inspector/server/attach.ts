import { WebSocket } from 'ws';
import type { SiteId } from '../../machines/actor.ts';
import { longestName, type WatchAsk, type WatchTold } from '../../machines/watch.ts';
import { parseTold } from '../../verification/timeline/watch-schema.ts';
import { Watched } from '../../verification/timeline/watched.ts';
import type { Locks } from '../protocol.ts';
import type { Followed } from './live.ts';

/** Windows are asked for this often, at all sites at once. */
const everyMs = 1_000;
/** A window that lasts until the next one is asked for, and some time more: then they join. */
const ms = 2_500;

/** The number of events of a window: while `all` is enough, every event is seen; otherwise, windows of `some`. */
export interface WindowEvents {
  readonly all: number;
  readonly some: number;
}

const usualEvents: WindowEvents = { all: 400, some: 120 };
const mostFrameBytes = 16 << 20;

export interface AttachOptions {
  /** `ws://host:port/?token=...`, of one site or more. */
  readonly urls: readonly string[];
  /** Default: the first that a site names. */
  readonly lock?: string;
  /** Default: 400 or 120 a second, of each site. */
  readonly events?: WindowEvents;
  /** Receives messages for the person at the terminal. */
  readonly say: (text: string) => void;
}

/** So long a site may take to say which locks it has. */
const findMs = 2_000;

/** Watches one lock of a running cluster at some or all of its sites. Its requests never cost them much. */
export class Attached implements Followed {
  readonly #connections: readonly Connection[];
  readonly #say: (text: string) => void;
  readonly #timer: NodeJS.Timeout;
  #lock: string | null;
  #watched: Watched | null = null;
  #mesh: string | null = null;
  /** The requests for names of locks that wait for an answer. */
  #finders: { readonly like: string; readonly told: (locks: Locks) => void }[] = [];

  constructor({ urls, lock, events = usualEvents, say }: AttachOptions) {
    this.#say = say;
    this.#lock = lock ?? null;
    this.#connections = urls.map(
      (url) => new Connection(url, events, (told, from) => this.#hear(told, from), say),
    );
    this.#timer = setInterval(() => this.#begin(), everyMs);
  }

  /** Which lock that is, once it is known. */
  get lock(): string | null {
    return this.#lock;
  }

  get telling() {
    return this.#watched?.telling ?? null;
  }

  get clocks(): Readonly<Record<SiteId, number>> {
    return this.#watched?.clocks ?? {};
  }

  follow(most: number): void {
    this.#watched?.follow(most);
  }

  /** Locks whose names contain `like`, as one of the sites knows them; none when no site answers. */
  async find(like: string): Promise<Locks> {
    if (like.length > 2 * longestName) return { names: [], more: false };
    if (!this.#connections.some((one) => one.site !== null && one.find(like)))
      return { names: [], more: true };
    return new Promise((resolve) => {
      const finder = { like, told: resolve };
      this.#finders.push(finder);
      setTimeout(() => {
        this.#finders = this.#finders.filter((other) => other !== finder);
        resolve({ names: [], more: true });
      }, findMs).unref();
    });
  }

  close(): void {
    clearInterval(this.#timer);
    for (const connection of this.#connections) connection.close();
  }

  #found({ like, locks, more }: Extract<WatchTold, { type: 'found' }>): void {
    for (const finder of this.#finders) if (finder.like === like) finder.told({ names: locks, more });
    this.#finders = this.#finders.filter((finder) => finder.like !== like);
  }

  #begin(): void {
    for (const connection of this.#connections) connection.begin();
  }

  #hear(told: WatchTold | 'gone', connection: Connection): void {
    const { site } = connection;
    if (told === 'gone') {
      if (site !== null) this.#watched?.gone(site);
      return;
    }
    if (told.type === 'site') this.#meet(told, connection);
    else if (told.type === 'found') this.#found(told);
    else if (site !== null) this.#watched?.told(site, told);
  }

  #meet(
    { site, machine, peers, locks, count }: Extract<WatchTold, { type: 'site' }>,
    from: Connection,
  ): void {
    const mesh = JSON.stringify([machine, [site, ...peers].sort()]);
    if ((this.#mesh ?? mesh) !== mesh || this.#connections.some((one) => one !== from && one.site === site)) {
      from.refuse(`site ${site} is one of another cluster, or attached already`);
      return;
    }
    const lock = this.#lock ?? locks[0];
    // No lock has been used there yet: it is asked again.
    if (lock === undefined) return;
    if (this.#lock === null) this.#say(`shows lock ${lock}${others(locks, count, lock)}`);
    this.#lock = lock;
    this.#mesh = mesh;
    this.#watched ??= new Watched({ lock, machine, site, peers });
    this.#watched.attached(site);
    from.watch(site, lock);
  }
}

function others(locks: readonly string[], count: number, lock: string): string {
  const rest = locks.filter((one) => one !== lock).slice(0, 8);
  if (rest.length === 0) return '';
  return `; --lock names another: ${rest.join(', ')}${count > rest.length + 1 ? ', ...' : ''}`;
}

type Hear = (told: WatchTold | 'gone', from: Connection) => void;

/** To one site; dialled again until it is closed. */
class Connection {
  /** Which site answers there, once that is known. */
  site: SiteId | null = null;
  readonly #url: string;
  readonly #hear: Hear;
  readonly #say: (text: string) => void;
  #socket: WebSocket;
  #isClosed = false;
  #said: string | null = null;
  readonly #windows: WindowEvents;
  #events: number;

  constructor(url: string, windows: WindowEvents, hear: Hear, say: (text: string) => void) {
    this.#url = url;
    this.#windows = windows;
    this.#events = windows.all;
    this.#hear = hear;
    this.#say = say;
    this.#socket = this.#dial();
  }

  watch(site: SiteId, lock: string): void {
    this.site = site;
    this.#ask({ type: 'watch', lock });
    this.begin();
  }

  begin(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#ask({ type: 'begin', events: this.#events, ms });
    this.#events = this.#windows.all;
  }

  /** False when the site cannot be asked now. */
  find(like: string): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#ask({ type: 'find', like });
    return true;
  }

  refuse(reason: string): void {
    this.#sayOnce(reason);
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.terminate();
  }

  #dial(): WebSocket {
    const socket = new WebSocket(this.#url, { maxPayload: mostFrameBytes, handshakeTimeout: 5_000 });
    socket.on('open', () => {
      this.#said = null;
    });
    socket.on('message', (data) => {
      const told = parseTold(data.toString());
      if (typeof told === 'string') {
        this.refuse(`tells something else than a site does: ${told}`);
        return;
      }
      // Some of what happens there is missed anyhow.
      if (told.type === 'end') this.#events = this.#windows.some;
      this.#hear(told, this);
    });
    socket.on('error', (error) => this.#sayOnce(error.message));
    socket.on('close', () => {
      this.#hear('gone', this);
      if (this.#isClosed) return;
      setTimeout(() => {
        if (!this.#isClosed) this.#socket = this.#dial();
      }, everyMs);
    });
    return socket;
  }

  #ask(asked: WatchAsk): void {
    this.#socket.send(JSON.stringify(asked));
  }

  #sayOnce(reason: string): void {
    if (reason !== this.#said) this.#say(`${withoutToken(this.#url)}: ${reason}`);
    this.#said = reason;
  }
}

function withoutToken(url: string): string {
  return url.replace(/\?.*$/, '');
}
