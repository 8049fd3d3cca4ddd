import { timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { reasonOf } from '../../machines/errors.ts';
import { longestName, type WatchAsk } from '../../machines/watch.ts';
import { OperatingError } from '../api/errors.ts';
import type { Viewer, WatchServer, WatchServerOptions, WatchSession } from '../api/watch.ts';
import { isLoopback } from '../mailbox/tcp/loopback.ts';
import { checkWatch } from '../options/calls.ts';
import { type HttpServer, listenForHttp, refuseUpgrade } from './http-server.ts';

const ask = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('watch'),
    lock: z
      .string()
      .min(1)
      .max(2 * longestName),
  }),
  z.strictObject({ type: z.literal('begin'), events: z.int().min(1), ms: z.int().min(1) }),
  z.strictObject({ type: z.enum(['find', 'table']), like: z.string().max(2 * longestName) }),
]);

const mostViewers = 8;
const pingEveryMs = 10_000;
/** The code by which WebSocket says that a frame is not as it should be. */
const policyViolation = 1008;

/**
 * Lets others watch a site from elsewhere, read-only: `baton inspect --attach URL`. A viewer that is too slow, or does not
 * read, misses what happens; the site never waits for it.
 *
 * @throws OperatingError `OPTIONS_INVALID`, `LISTEN_FAILED`, `INSECURE_LISTEN`.
 */
export async function serveWatch(
  cluster: { watch(viewer: Viewer): WatchSession },
  options: WatchServerOptions = {},
): Promise<WatchServer> {
  checkWatch(options);
  const { listen = {}, token } = options;
  const { host = '127.0.0.1', port = 0 } = listen;
  if (!isLoopback(host) && token === undefined) {
    throw new OperatingError(
      'INSECURE_LISTEN',
      `every program that reaches ${host}:${port} could watch the site: give a token, or listen on loopback`,
    );
  }
  // Most sites are never watched.
  const { WebSocketServer } = await import('ws');
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_024 });
  let http: HttpServer;
  try {
    http = await listenForHttp({ host, port }, (_, response) => {
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end();
    });
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new OperatingError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${reason}`, { cause });
  }
  http.server.on('upgrade', (request, socket, head) => {
    const refusal = whyRefused(request, host, token) ?? (sockets.clients.size < mostViewers ? null : 503);
    if (refusal === null) sockets.handleUpgrade(request, socket, head, (opened) => serve(opened, cluster));
    else refuseUpgrade(socket, `${refusal} ${STATUS_CODES[refusal]}`);
  });
  const pings = setInterval(() => {
    for (const socket of sockets.clients) ping(socket);
  }, pingEveryMs);
  pings.unref();
  const address = { host, port: http.address.port };
  return {
    address,
    url: `ws://${host.includes(':') ? `[${host}]` : host}:${address.port}/`,
    close: async () => {
      clearInterval(pings);
      for (const socket of sockets.clients) socket.terminate();
      await http.close();
    },
  };
}

function serve(socket: WebSocket, cluster: { watch(viewer: Viewer): WatchSession }): void {
  const session = cluster.watch({
    send: (frame) => socket.send(frame),
    get waiting() {
      return socket.bufferedAmount;
    },
  });
  alive.add(socket);
  socket.on('pong', () => alive.add(socket));
  socket.on('message', (data) => {
    const asked = parsed(data.toString());
    if (asked === null) socket.close(policyViolation, 'expected watch, begin, find or table');
    else session.ask(asked);
  });
  socket.on('close', () => session.close());
  // It is closed next.
  socket.on('error', () => socket.terminate());
}

/** Those that have answered since they were last asked whether they are there. */
const alive = new WeakSet<WebSocket>();

function ping(socket: WebSocket): void {
  if (alive.delete(socket)) socket.ping();
  else socket.terminate();
}

function parsed(frame: string): WatchAsk | null {
  try {
    return ask.safeParse(JSON.parse(frame)).data ?? null;
  } catch {
    return null;
  }
}

/** The status of the refusal. A page of any site says its Origin, and none is meant to watch by itself. */
function whyRefused({ headers, url = '' }: IncomingMessage, host: string, token: string | undefined) {
  const asked = `http://${headers.host ?? ''}${url}`;
  if (headers.origin !== undefined || !URL.canParse(asked)) return 403;
  const { hostname, searchParams } = new URL(asked);
  // A name that was made to point here is none of ours.
  const isAddress = /^([\d.]+|\[.*\])$/.test(hostname);
  if (!isAddress && ![host, 'localhost'].includes(hostname)) return 403;
  return token === undefined || isSame(searchParams.get('token') ?? '', token) ? null : 401;
}

function isSame(given: string, wanted: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(wanted)];
  return left.length === right.length && timingSafeEqual(left, right);
}
