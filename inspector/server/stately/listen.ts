import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { answerLiveOf, type Elsewhere, type Followed, onlyOne, showLive } from '../live.ts';
import type { LivePage } from '../live-page.ts';
import { builtPage } from '../page.ts';
import { Refused, refuseStrangers, servePage } from '../server.ts';
import { parseStately } from './schema.ts';
import { StatelyTelling } from './telling.ts';

/** Where apps connect. */
const path = '/stately';
const mostBytes = 1 << 20;
const mostApps = 64;
/** The code by which WebSocket says that a frame is not as it should be. */
const policyViolation = 1008;

/** A page that shows what apps tell through @statelyai/inspect. */
export interface StatelyPage extends LivePage {
  /** The `url` of `createWebSocketInspector`. */
  readonly appUrl: string;
}

/**
 * Serves the page, and takes what apps on this machine tell it. The newest `mostSteps` steps are kept.
 *
 * @throws `UsageError` when the port is taken.
 */
export async function openStately(port: number, mostSteps = 5_000): Promise<StatelyPage> {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const answer = answerLiveOf('apps on this machine', { listens: true });
  const page = await servePage(await builtPage(say), answer, port, 'loopback');
  const apps = new Apps((reason) => say(`baton: an app was refused: ${reason}`));
  const live = showLive(
    onlyOne(apps),
    page.server,
    mostSteps,
    (reason) => say(`baton: ${reason}`),
    apps.elsewhere,
  );
  const close = () => {
    apps.close();
    live.close();
    return page.close();
  };
  return { url: page.url, appUrl: `${page.url.replace(/^http/, 'ws').slice(0, -1)}${path}`, close };
}

class Apps implements Followed {
  readonly #telling = new StatelyTelling();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: mostBytes });
  readonly #refused: (reason: string) => void;
  #connections = 0;

  constructor(refused: (reason: string) => void) {
    this.#refused = refused;
  }

  get telling(): StatelyTelling | null {
    return this.#telling.edition === 0 ? null : this.#telling;
  }

  /** The clocks of apps are not known, and nothing is held for a time. */
  readonly clocks = {};

  follow(most: number): void {
    this.#telling.keep(most);
  }

  readonly elsewhere: Elsewhere = (request, socket, head) => {
    if (request.url !== path) return false;
    const { origin, ...headers } = request.headers;
    if (origin !== undefined && !isOnLoopback(origin))
      throw new Refused('ORIGIN_REFUSED', `expected an app on loopback, not ${origin}`, 403);
    // Its origin is another port's, as intended here.
    if (this.#sockets.clients.size >= mostApps)
      throw new Refused('TOO_MANY', `${mostApps} apps are connected already`, 503);
    refuseStrangers({ method: request.method, headers, socket: request.socket });
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#listen(opened));
    return true;
  };

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  #listen(socket: WebSocket): void {
    const connection = this.#connections++;
    // It is closed next, with its reason.
    socket.on('error', ({ message }) => this.#refused(message));
    socket.on('message', (data: RawData) => {
      const told = parseStately(data.toString());
      if (typeof told === 'string') {
        this.#refused(told);
        socket.close(policyViolation, 'expected an event of @statelyai/inspect');
        return;
      }
      this.#telling.tell(connection, told);
    });
  }
}

/** A page of this machine: an app under development has an origin of its own. */
function isOnLoopback(origin: string): boolean {
  const { protocol, hostname } = URL.canParse(origin) ? new URL(origin) : { protocol: '', hostname: '' };
  return /^https?:$/.test(protocol) && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}
