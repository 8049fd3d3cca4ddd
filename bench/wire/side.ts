import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { SiteId } from '../../machines/actor.ts';
import { systemClock, systemRandom } from '../../runtime/api/clock.ts';
import type { Address, StampedEnvelope } from '../../runtime/api/peer.ts';
import type { Transport } from '../../runtime/mailbox/pipe.ts';
import { TcpMailbox } from '../../runtime/mailbox/tcp/mailbox.ts';
import { transportOf } from '../../runtime/mailbox/tcp/transport.ts';
import type { Tls } from '../../runtime/options/schema.ts';
import { defaultLimits, defaultTiming } from '../../runtime/options/schema.ts';
import { messageLayout } from '../../runtime/site/protocol.ts';
import { Codec } from '../../runtime/wire/codec.ts';

export const members: readonly SiteId[] = ['a', 'b'];

export const codec = new Codec(messageLayout);

/** One hop of a lock's token. */
export const token = (source: SiteId, target: SiteId): StampedEnvelope => ({
  source,
  target,
  lock: 'orders/4711',
  message: { type: 'TOKEN', epoch: 3, root: 'a', k: 1_234 } as { type: string },
  stamp: { seq: 5_678, clock: null },
});

export const request = (source: SiteId, target: SiteId): StampedEnvelope => ({
  ...token(source, target),
  message: { type: 'REQUEST', epoch: 3, root: 'a', origin: 'b' } as { type: string },
});

/** The bytes exchanged without a mailbox: as many as a token takes. */
export const ball = codec.encode({ type: 'data', seq: 9_999, ack: 9_999, envelope: token('a', 'b') });

/** One end of a pair. It is notified of every message from the other end. */
export interface Side {
  readonly address: Address | null;
  send(): void;
}

/** The certificates with which the mailboxes of two sites authenticate. */
export type Proofs = Readonly<Record<'a' | 'b', Tls>>;

/** The transports to be compared, for one end. */
export function transports(site: SiteId, tls: Tls): Readonly<Record<string, Transport>> {
  const options = { cluster: 'bench', site, listen: anyPort, peers: { a: nowhere, b: nowhere } };
  return {
    plain: transportOf(options),
    certificates: transportOf({ ...options, tls }),
    secret: transportOf({ ...options, secret: Buffer.alloc(32, 7) }),
  };
}

export async function mailboxSide(
  self: SiteId,
  peer: Address,
  transport: Transport,
  received: () => void,
): Promise<Side> {
  const other = self === 'a' ? 'b' : 'a';
  const mailbox = new TcpMailbox({
    self,
    cluster: 'bench',
    configuration: 'bench',
    incarnation: systemRandom.incarnation(),
    dataId: 'data',
    run: 0,
    transport,
    listen: anyPort,
    peers: { [other]: peer },
    codec,
    limits: defaultLimits,
    timing: defaultTiming,
    clock: systemClock,
    random: systemRandom,
    notice: () => undefined,
  });
  await mailbox.open({ receive: received, peerChanged: () => undefined, beforeWrite: () => undefined });
  return { address: mailbox.address, send: () => mailbox.post(token(self, other)) };
}

export async function rawListener(received: () => void): Promise<Side> {
  let socket: Socket | null = null;
  const server = createServer({ noDelay: true }, (accepted) => {
    socket = accepted.on('data', received);
  });
  server.listen(anyPort);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { address: { host: anyPort.host, port }, send: () => void socket?.write(ball) };
}

export async function rawDialler(address: Address, received: () => void): Promise<Side> {
  const socket = connect({ ...address, noDelay: true });
  await once(socket, 'connect');
  socket.on('data', received);
  return { address: null, send: () => void socket.write(ball) };
}

export const anyPort: Address = { host: '127.0.0.1', port: 0 };
export const nowhere: Address = { host: '127.0.0.1', port: 1 };
