import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { reasonOf } from '../../machines/errors.ts';
import type { Address } from '../../runtime/api/peer.ts';
import { type HttpServer, listenForHttp } from '../../runtime/observe/http-server.ts';
import { UsageError } from '../../verification/check/errors.ts';

/** The answer to a request. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Answers GET and HEAD at the paths of `answers`. On loopback a request that names another host is refused: a
 * web page may have resolved a name of its own to this address.
 *
 * @throws `UsageError` when it cannot listen there.
 */
export async function serveMetrics(
  { host, port }: Address,
  answers: Readonly<Record<string, () => Answer | Promise<Answer>>>,
): Promise<MetricsServer> {
  let http: HttpServer;
  try {
    http = await listenForHttp({ host, port }, (request, response) => void respond(request, response));
  } catch (error) {
    throw new UsageError(
      `cannot serve metrics on ${host}:${port}: ${reasonOf(error)}; port 0 takes a free one`,
    );
  }
  const bound = http.address;
  const guarded = isLoopback(bound.address);

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers, url = '' } = request;
    const answer = answers[url.split('?')[0]!];
    if (guarded && !isLoopback(hostOf(headers.host ?? '')))
      send(refusal(403, 'expected a Host of this machine'));
    else if (answer === undefined) send(refusal(404, `there are ${Object.keys(answers).join(', ')}`));
    else if (method !== 'GET' && method !== 'HEAD') send(refusal(405, `expected GET, not ${method}`));
    else
      try {
        send(await answer());
      } catch (error) {
        send(refusal(500, reasonOf(error)));
      }

    function send({ status, type, body }: Answer): void {
      response.writeHead(status, {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(method === 'HEAD' ? undefined : body);
    }
  }

  return {
    url: `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    close: http.close,
  };
}

function refusal(status: number, why: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${why}\n` };
}

/** `[::1]:9464` is `::1`. */
function hostOf(header: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(header)?.[1] ?? header.replace(/:\d+$/, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
