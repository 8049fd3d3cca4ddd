import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Bounds of a server that every program on the machine, or beyond it, can call. */
const mostConnections = 64;
/** From the first byte of a request to its last, and from an answer to the next request. */
const requestTimeoutMs = 5_000;
const checkEveryMs = 1_000;
const maxHeaderBytes = 8 * 1024;

export interface HttpServer {
  readonly server: Server;
  readonly address: AddressInfo;
  /** Resolves when every connection is closed. */
  close(): Promise<void>;
}

/**
 * Listens for HTTP in a process that has other things to do. No caller can end the process or use up its descriptors:
 * every socket has an error listener before it is read, there are at most 64 connections that are not upgraded, each
 * has 5 s to say what it wants, and one more takes the place of the oldest. An upgrade is refused, unless the server has
 * a listener for it.
 *
 * Rejects with the error of the kernel.
 */
export async function listenForHttp(
  address: { readonly host: string; readonly port: number },
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: requestTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
    },
    (request, response) => {
      response.on('error', ignore);
      answer(request, response);
    },
  );
  /** Those that are not upgraded, the oldest first. */
  const waiting = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.on('error', ignore);
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket));
    if (waiting.size <= mostConnections) return;
    const [oldest] = waiting;
    oldest!.destroy();
  });
  server.prependListener('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    waiting.delete(socket as Socket);
    // Node has left the socket to the listeners of this event: without another one, nothing reads or closes it.
    if (server.listenerCount('upgrade') === 1) refuseUpgrade(socket, '404 Not Found');
  });
  // A worker of node:cluster would share it with the others.
  server.listen({ ...address, exclusive: true });
  await once(server, 'listening');
  // A connection could not be accepted: the kernel has no descriptor left. The others are served on.
  server.on('error', ignore);
  return {
    server,
    address: server.address() as AddressInfo,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Answers a request that is no WebSocket of ours and closes the connection, even where the client does not read the answer. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`, () => socket.destroy());
  setTimeout(() => socket.destroy(), requestTimeoutMs).unref();
}

// It is closed next.
function ignore(): void {}
