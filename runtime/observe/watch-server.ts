import { timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { WebSocket } from 'ws';
import * as z from 'zod';
import { reasonOf } from '../../machines/errors.ts';
import { longestName, type MembersAnswer, type MembersRequest, type WatchAsk } from '../../machines/watch.ts';
import type { Cluster } from '../api/cluster.ts';
import { OperatingError } from '../api/errors.ts';
import type { WatchServer, WatchServerOptions } from '../api/watch.ts';
import { isLoopback } from '../mailbox/tcp/loopback.ts';
import { checkCluster, checkWatch } from '../options/calls.ts';
import { siteIdPattern } from '../wire/frames.ts';
import { type HttpServer, listenForHttp, refuseUpgrade } from './http-server.ts';
import { mostWaitingBytes } from './live-feed.ts';

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

const name = z.string().regex(siteIdPattern);
const membersRequest = z.strictObject({
  type: z.literal('members'),
  change: z
    .union([
      z.strictObject({ add: name }),
      z.strictObject({ remove: name }),
      z.strictObject({ replace: name, by: name }),
    ])
    .optional(),
  admin: z.string().optional(),
  timeoutMs: z.int().min(1).max(3_600_000).optional(),
});

/** The methods of a cluster that the watch port calls. */
type Served = 'watch' | 'members' | 'addMember' | 'removeMember' | 'replaceMember';

const request = z.union([ask, membersRequest]);

const mostViewers = 8;
/** A viewer that has asked nothing for this long makes room for another. */
const silentMs = 15_000;
const pingEveryMs = 10_000;
/** The codes by which WebSocket says that an end goes away, and that a frame is not as it should be. */
const goingAway = 1001;
const policyViolation = 1008;

/**
 * Lets others watch a site from elsewhere: `baton inspect --attach URL`, `baton members list URL`. A viewer that is too slow, or does not
 * read, misses what happens; the site never waits for it. Nothing can be changed, unless an `adminToken` is given. There are 8 viewers at most:
 * one more takes the place of the one that has asked nothing for longest, if that is 15 s or more, and is refused with 503 otherwise.
 *
 * @throws OperatingError `OPTIONS_INVALID`, `LISTEN_FAILED`, `INSECURE_LISTEN`.
 */
export async function serveWatch(
  cluster: Pick<Cluster, 'watch' | 'members' | 'addMember' | 'removeMember' | 'replaceMember'>,
  options: WatchServerOptions = {},
): Promise<WatchServer> {
  checkCluster(cluster);
  checkWatch(options);
  const { listen = {}, token, adminToken } = options;
  const { host = '127.0.0.1', port = 0 } = listen;
  if (!isLoopback(host) && token === undefined) {
    throw new OperatingError(
      'INSECURE_LISTEN',
      `every program that reaches ${host}:${port} could watch the site: give a token, or listen on loopback`,
    );
  }
  if (!isLoopback(host) && adminToken !== undefined) {
    throw new OperatingError(
      'INSECURE_LISTEN',
      `the administrator's token would travel in the clear to ${host}:${port}: listen on loopback, or give no adminToken`,
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
  /** When each viewer asked last, in order of that. */
  const viewers = new Map<WebSocket, number>();
  const asks = (viewer: WebSocket) => {
    viewers.delete(viewer);
    viewers.set(viewer, performance.now());
  };
  const hasRoom = (): boolean => {
    if (viewers.size < mostViewers) return true;
    const [silent, askedAt] = viewers.entries().next().value!;
    if (performance.now() - askedAt < silentMs) return false;
    viewers.delete(silent);
    silent.terminate();
    return true;
  };
  http.server.on('upgrade', (request, socket, head) => {
    const refusal = whyRefused(request, host, token) ?? (hasRoom() ? null : 503);
    if (refusal === null)
      sockets.handleUpgrade(request, socket, head, (opened) => {
        asks(opened);
        // One whose place was taken may still send.
        opened.on('message', () => viewers.has(opened) && asks(opened));
        opened.on('close', () => viewers.delete(opened));
        serve(opened, cluster, adminToken);
      });
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

function serve(socket: WebSocket, cluster: Pick<Cluster, Served>, adminToken: string | undefined): void {
  let answered: Promise<unknown> = Promise.resolve();
  const session = cluster.watch({
    send: (frame) => socket.send(frame),
    get waiting() {
      return socket.bufferedAmount;
    },
    // A site that was asked to remove itself answers first.
    closed: () => void answered.then(() => socket.close(goingAway, 'the site is closed')),
  });
  alive.add(socket);
  socket.on('pong', () => alive.add(socket));
  // Each is answered: answers that are not read would fill the memory.
  socket.on('ping', () => endIfUnread(socket));
  socket.on('message', (data) => {
    if (endIfUnread(socket)) return;
    const asked = parsed(data.toString());
    if (asked === null) socket.close(policyViolation, 'expected watch, begin, find, table or members');
    else if (asked.type === 'members') {
      const answer = answerTo(asked, cluster, adminToken).then((said) => socket.send(JSON.stringify(said)));
      answered = Promise.all([answered, answer]);
    } else session.ask(asked);
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

/** Reports whether the connection was ended, since the viewer asks and does not read. */
function endIfUnread(socket: WebSocket): boolean {
  // The feed stops at its bound, and may pass it by one frame.
  const isUnread = socket.bufferedAmount > 4 * mostWaitingBytes;
  if (isUnread) socket.terminate();
  return isUnread;
}

/** Never rejects. */
async function answerTo(
  { change, admin = '', timeoutMs }: MembersRequest,
  cluster: Pick<Cluster, Served>,
  adminToken: string | undefined,
): Promise<MembersAnswer> {
  const refused = (reason: string) => ({ type: 'refused', reason }) as const;
  if (change !== undefined && adminToken === undefined)
    return refused(
      'NOT_ALLOWED: this site takes no change by its watch port; start it with BATON_ADMIN_TOKEN',
    );
  if (change !== undefined && !isSame(admin, adminToken!))
    return refused("NOT_ALLOWED: expected the site's BATON_ADMIN_TOKEN, got another one");
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  try {
    if (change === undefined) return { type: 'members', ...cluster.members() };
    if ('add' in change) return { type: 'members', ...(await cluster.addMember(change.add, options)) };
    if ('remove' in change)
      return { type: 'members', ...(await cluster.removeMember(change.remove, options)) };
    return { type: 'members', ...(await cluster.replaceMember(change.replace, change.by, options)) };
  } catch (error) {
    return refused(reasonOf(error));
  }
}

function parsed(frame: string): WatchAsk | MembersRequest | null {
  try {
    return request.safeParse(JSON.parse(frame)).data ?? null;
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
