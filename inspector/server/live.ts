import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { reasonOf } from '../../machines/errors.ts';
import { refuseUpgrade } from '../../runtime/observe/http-server.ts';
import { messagesAfter } from '../../verification/timeline/forget.ts';
import type { Message, Timeline } from '../../verification/timeline/format.ts';
import {
  cannotBeShown,
  type Laid,
  type LiveFrame,
  type Locks,
  type LockTable,
  type SiteMembers,
  type Sources,
} from '../protocol.ts';
import { plansOf } from './chart-plan.ts';
import { type Answer, Refused, refuseStrangers } from './server.ts';

const everyMs = 150;
const mostPages = 64;
/** A page that has this number of bytes waiting gets nothing more until they are gone, and then the whole. */
const mostWaitingBytes = 1 << 20;

/** The requests about the locks of a live cluster whose names contain `like`. */
export interface LockAnswers {
  find(like: string): Promise<Locks>;
  /** The holder of each, and the sites that wait. */
  table(like: string): Promise<LockTable>;
  /** The members of the cluster, as each site knows them. */
  members(): Promise<readonly SiteMembers[]>;
}

export function answerLiveOf(about: string, more: Partial<Sources> = {}, locks?: LockAnswers): Answer {
  const head = { id: 'live', title: 'live', about, kind: 'live' as const };
  const sources: Sources = { title: 'live', sources: [head], ...(locks && { locks: true }), ...more };
  return (path, query) => {
    if (path === 'sources') return sources;
    if (path === 'locks' && locks) return locks.find(query.get('like') ?? '');
    if (path === 'table' && locks) return locks.table(query.get('like') ?? '');
    if (path === 'members' && locks) return locks.members();
    throw new Refused('NOT_FOUND', `no ${path}; there is sources, and a WebSocket at live`, 404);
  };
}

/** A lock that is followed, as far as it is known; `null` before anything has begun. */
export interface Followed {
  readonly telling:
    | (Pick<Timeline, 'steps' | 'messages'> & {
        readonly timeline: Timeline;
        readonly forgotten: number;
        /** Another number than before: the sites are others, so that the whole must be told again. */
        readonly edition?: number;
      })
    | null;
  /** The time now at each site that is known, by its clock: milliseconds since 1970. */
  readonly clocks: LiveFrame['clocks'];
  /** Learns what is new, and keeps at most `most` steps, the newest. */
  follow(most: number): void;
}

/** Takes a connection that is none of a page; false when it is not for it. */
export type Elsewhere = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/** Everything that pages may be shown. */
export interface Shows {
  /** Each is told to follow, whether a page is shown it or not. */
  readonly all: Iterable<Followed>;
  /** Follows this lock; `null`: the one that is shown when none is named. Throws `Refused`. */
  of(lock: string | null): Followed;
  /** The last page is gone that was shown it. */
  left(followed: Followed): void;
}

/** One and the same for every page. */
export function onlyOne(followed: Followed): Shows {
  const of = (lock: string | null) => {
    if (lock === null) return followed;
    throw new Refused('NOT_FOUND', 'no lock can be chosen here', 404);
  };
  return { all: [followed], of, left: () => undefined };
}

/**
 * Shows every page that connects what it asks for; however slow a page is, nothing waits for it. So many steps are kept,
 * the newest.
 */
export function showLive(
  shows: Shows,
  server: Server,
  mostSteps: number,
  failed: (reason: string) => void,
  elsewhere: Elsewhere = () => false,
): { close(): void } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_024 });
  const pages = new Map<LivePage, Followed>();
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    let lock: string | null;
    try {
      if (elsewhere(request, socket, head)) return;
      refuseStrangers(request);
      if (request.headers.origin === undefined)
        throw new Refused('ORIGIN_REFUSED', 'expected an Origin', 403);
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (pathname !== '/api/live') throw new Refused('NOT_FOUND', `nothing is at ${pathname}`, 404);
      if (sockets.clients.size >= mostPages)
        throw new Refused('TOO_MANY', `${mostPages} pages are open already`, 503);
      lock = searchParams.get('lock');
    } catch (error) {
      refuseUpgrade(socket, `${error instanceof Refused ? error.status : 500} Refused`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      // A page that breaks off is closed next.
      opened.on('error', () => opened.terminate());
      show(opened, lock);
    });
  };
  const show = (opened: WebSocket, lock: string | null) => {
    let followed: Followed;
    try {
      followed = shows.of(lock);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      opened.close(cannotBeShown, closeReason(error.message));
      return;
    }
    const page = new LivePage(opened);
    pages.set(page, followed);
    opened.on('close', () => {
      pages.delete(page);
      if (![...pages.values()].includes(followed)) shows.left(followed);
    });
  };
  server.on('upgrade', upgrade);
  const timer = setInterval(() => {
    try {
      for (const followed of shows.all) {
        followed.follow(mostSteps);
        for (const [page, shown] of pages) if (shown === followed) page.tell(followed);
      }
    } catch (error) {
      clearInterval(timer);
      const reason = reasonOf(error);
      for (const client of sockets.clients) client.close(cannotBeShown, closeReason(reason));
      failed(reason);
    }
  }, everyMs);
  return {
    close: () => {
      clearInterval(timer);
      server.off('upgrade', upgrade);
      for (const client of sockets.clients) client.terminate();
    },
  };
}

/** WebSocket allows a reason of 123 bytes. */
function closeReason(text: string): string {
  let end = text.length;
  while (Buffer.byteLength(text.slice(0, end)) > 120) end--;
  return end === text.length ? text : `${text.slice(0, end)}…`;
}

/** The state of one page: the frames that it has been sent. */
class LivePage {
  readonly #socket: WebSocket;
  #hasWhole = false;
  #steps = 0;
  /** Number of steps that the page has forgotten. */
  #forgotten = 0;
  #edition: number | undefined = undefined;
  /** The messages as the page knows them. */
  #messages: readonly Message[] = [];
  #laid: (Pick<Timeline, 'machines'> & Pick<Laid, 'plans'>) | null = null;
  #isLayingOut = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  tell({ telling, clocks }: Followed): void {
    if (telling === null) return;
    if (telling.edition !== this.#edition) this.#hasWhole = false;
    if (this.#socket.bufferedAmount > mostWaitingBytes) {
      this.#hasWhole = false;
      return;
    }
    const forget = telling.forgotten - this.#forgotten;
    if (!this.#hasWhole || forget > this.#steps) this.#tellWhole(telling, clocks);
    else if (forget > 0 || telling.steps.length > this.#steps) {
      const known = forget === 0 ? this.#messages : messagesAfter(this.#messages, forget).messages;
      const messages = telling.messages.flatMap((message, index) =>
        isSame(message, known[index]) ? [] : [[index, message] as const],
      );
      const steps = telling.steps.slice(this.#steps - forget);
      this.#send({ type: 'more', forget, steps, messages, clocks });
      this.#remember(telling);
    }
  }

  /** Not before the statecharts are laid out. */
  #tellWhole(telling: NonNullable<Followed['telling']>, clocks: LiveFrame['clocks']): void {
    const { machines } = telling.timeline;
    const laid = this.#laid;
    if (laid === null || JSON.stringify(laid.machines) !== JSON.stringify(machines)) {
      if (this.#isLayingOut) return;
      this.#isLayingOut = true;
      void plansOf(machines).then((plans) => {
        this.#laid = { machines, plans };
        this.#isLayingOut = false;
      });
      return;
    }
    this.#hasWhole = true;
    this.#send({ type: 'whole', timeline: telling.timeline, plans: laid.plans, clocks });
    this.#remember(telling);
  }

  #remember({ steps, messages, forgotten, edition }: NonNullable<Followed['telling']>): void {
    this.#forgotten = forgotten;
    this.#edition = edition;
    this.#steps = steps.length;
    this.#messages = [...messages];
  }

  #send(frame: LiveFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }
}

/** Messages that were shifted are other objects. */
function isSame(one: Message, other: Message | undefined): boolean {
  if (one === other) return true;
  return (
    other !== undefined &&
    one.message === other.message &&
    one.sent === other.sent &&
    one.ended === other.ended &&
    one.fate === other.fate
  );
}
