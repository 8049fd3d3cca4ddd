import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { LiveFrame, Sources } from '../../inspector/protocol.ts';
import type { Letter, Timeline } from '../../inspector/timeline.ts';
import { reasonOf } from '../exit.ts';
import { type Answer, Refused, refuseStrangers } from './server.ts';

const everyMs = 150;
/** A page for which so many bytes wait is given nothing more until they are gone, and then the whole. */
const mostWaitingBytes = 1 << 20;

export const answerLive: Answer = answerLiveOf('a running cluster');

export function answerLiveOf(about: string, more: Partial<Sources> = {}): Answer {
  const head = { id: 'live', title: 'live', about, kind: 'live' as const };
  const sources: Sources = { title: 'live', sources: [head], ...more };
  return (path) => {
    if (path === 'sources') return sources;
    throw new Refused('NOT_FOUND', `no ${path}; there is sources, and a WebSocket at live`, 404);
  };
}

/** What goes on, as far as it is known; `null` before anything has begun. */
export interface Followed {
  readonly telling: (Pick<Timeline, 'steps' | 'letters'> & { readonly timeline: Timeline }) | null;
  /** Learns what is new. After `most` steps all begins anew; then, and whenever the whole must be told again, it is true. */
  follow(most: number): { readonly begunAnew: boolean };
}

/** Takes a connection that is none of a page; false when it is not for it. */
export type Elsewhere = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/**
 * Shows what is followed to every page that connects; however slow a page is, nothing waits for it. So many steps are
 * kept; then all begins anew.
 */
export function showLive(
  followed: Followed,
  server: Server,
  mostSteps: number,
  failed: (reason: string) => void,
  elsewhere: Elsewhere = () => false,
): { close(): void } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_024 });
  const pages = new Set<LivePage>();
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    try {
      if (elsewhere(request, socket, head)) return;
      refuseStrangers(request);
      if (request.headers.origin === undefined)
        throw new Refused('ORIGIN_REFUSED', 'expected an Origin', 403);
      if (request.url !== '/api/live') throw new Refused('NOT_FOUND', `nothing is at ${request.url}`, 404);
    } catch (error) {
      socket.end(
        `HTTP/1.1 ${error instanceof Refused ? error.status : 500} Refused\r\nconnection: close\r\n\r\n`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const page = new LivePage(opened);
      pages.add(page);
      opened.on('close', () => pages.delete(page));
      // A page that breaks off is closed next.
      opened.on('error', () => opened.terminate());
    });
  };
  server.on('upgrade', upgrade);
  const timer = setInterval(() => {
    try {
      const { begunAnew } = followed.follow(mostSteps);
      for (const page of pages) page.tell(followed.telling, begunAnew);
    } catch (error) {
      clearInterval(timer);
      failed(reasonOf(error));
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

/** What one page has been told. */
class LivePage {
  readonly #socket: WebSocket;
  #hasWhole = false;
  #steps = 0;
  /** The letters as the page knows them. */
  #letters: readonly Letter[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  tell(telling: Followed['telling'], begunAnew: boolean): void {
    if (begunAnew) this.#hasWhole = false;
    if (telling === null) return;
    if (this.#socket.bufferedAmount > mostWaitingBytes) {
      this.#hasWhole = false;
      return;
    }
    if (!this.#hasWhole) {
      this.#hasWhole = true;
      this.#send({ type: 'whole', timeline: telling.timeline });
    } else if (telling.steps.length > this.#steps) {
      const letters = telling.letters.flatMap((letter, index) =>
        letter === this.#letters[index] ? [] : [[index, letter] as const],
      );
      this.#send({ type: 'more', steps: telling.steps.slice(this.#steps), letters });
    } else return;
    this.#steps = telling.steps.length;
    this.#letters = [...telling.letters];
  }

  #send(frame: LiveFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }
}
