import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { reasonOf } from '../../machines/errors.ts';
import { type HttpServer, listenForHttp } from '../../runtime/observe/http-server.ts';
import { UsageError } from '../../verification/check/errors.ts';
import type { Problem } from '../protocol.ts';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

/** An answer as JSON, compressed before it is asked for: that takes longer than to send it. */
export class Packed {
  readonly zipped: Buffer;

  private constructor(zipped: Buffer) {
    this.zipped = zipped;
  }

  static async of(answer: unknown): Promise<Packed> {
    return new Packed(await zip(JSON.stringify(answer), { level: zipLevel }));
  }
}

/** Answers a request below `/api/`, by a value that JSON has or by `Packed`; throws `NotFound`, or `Refused` when it is asked for wrongly. */
export type Answer = (path: string, query: URLSearchParams) => unknown;

export interface PageServer {
  /** `http://127.0.0.1:4700/`. */
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

/** A request that cannot be answered. */
export class Refused extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'Refused';
    this.code = code;
    this.status = status;
  }
}

/** Whether a page of another origin may open this one and tell it something: nobody's, or any of this machine. */
export type OpenedBy = 'nobody' | 'loopback';

function headersFor(by: OpenedBy): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${by === 'nobody' ? "'none'" : 'http://127.0.0.1:* http://localhost:*'}`,
  ].join('; ');
  return {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': by === 'nobody' ? 'same-origin' : 'unsafe-none',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}

/**
 * Serves the page on loopback, read-only: `files` by path, and `answer` below `/api/`. A request with another Host or
 * another Origin is refused: it comes from a page of another site, or by a name that was made to point here.
 *
 * @throws `UsageError` when the port is taken.
 */
export async function servePage(
  files: ReadonlyMap<string, PageFile>,
  answer: Answer,
  port: number,
  openedBy: OpenedBy = 'nobody',
): Promise<PageServer> {
  const headers = headersFor(openedBy);
  let http: HttpServer;
  try {
    http = await listenForHttp({ host: '127.0.0.1', port }, (request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      void respond(request, response, files, answer);
    });
  } catch (error) {
    throw new UsageError(`cannot listen on 127.0.0.1:${port}: ${reasonOf(error)}; --port 0 takes a free one`);
  }
  return { url: `http://127.0.0.1:${http.address.port}/`, server: http.server, close: http.close };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, PageFile>,
  answer: Answer,
): Promise<void> {
  try {
    refuseStrangers(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname.startsWith('/api/')) {
      const given = await answer(pathname.slice('/api/'.length), searchParams);
      const body = given instanceof Packed ? given : Buffer.from(JSON.stringify(given));
      await send(request, response, 200, jsonType, body);
      return;
    }
    const file = files.get(pathname === '/' ? '/index.html' : pathname);
    if (file === undefined) throw new Refused('NOT_FOUND', `nothing is at ${pathname}`, 404);
    await send(request, response, 200, file.type, file.body);
  } catch (error) {
    const known = error instanceof Refused;
    const problem: Problem = { code: known ? error.code : 'FAILED', message: reasonOf(error) };
    const body = Buffer.from(JSON.stringify(problem));
    await send(request, response, known ? error.status : 500, jsonType, body);
  }
}

/** @throws `Refused`. Also to be asked before a connection is upgraded. */
export function refuseStrangers({
  method,
  headers: given,
  socket,
}: Pick<IncomingMessage, 'method' | 'headers' | 'socket'>): void {
  const { host, origin } = given;
  const own = ['127.0.0.1', 'localhost'].map((name) => `${name}:${socket.localPort}`);
  if (host === undefined || !own.includes(host)) {
    throw new Refused('HOST_REFUSED', `expected Host ${own.join(' or ')}, not ${host}`, 403);
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new Refused('ORIGIN_REFUSED', `expected Origin http://${host}, not ${origin}`, 403);
  }
  if (method !== 'GET') throw new Refused('METHOD_REFUSED', `expected GET, not ${method}`, 405);
}

/** Compressed, where the browser takes that and it is worth it. */
async function send(
  { headers }: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: Buffer | Packed,
): Promise<void> {
  const mayZip = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
  const isZipped = mayZip && (body instanceof Packed || body.length > leastZipped);
  const sent =
    body instanceof Packed
      ? isZipped
        ? body.zipped
        : await unzip(body.zipped)
      : isZipped
        ? await zip(body, { level: zipLevel })
        : body;
  response.writeHead(status, {
    'content-type': type,
    'content-length': sent.length,
    vary: 'accept-encoding',
    ...(isZipped && { 'content-encoding': 'gzip' }),
  });
  response.end(sent);
}

const jsonType = 'application/json; charset=utf-8';
const zip = promisify(gzip);
const unzip = promisify(gunzip);
const leastZipped = 1_024;
/** Large timelines go through loopback: a higher level would take longer than it saves. */
const zipLevel = 4;
