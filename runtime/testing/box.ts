import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'vitest';
import type { SiteId } from '../../machines/actor.ts';
import { type Clock, systemClock, systemRandom } from '../api/clock.ts';
import type { Notice } from '../api/notice.ts';
import type { Address, PeerChange, StampedEnvelope } from '../api/peer.ts';
import type { Transport } from '../mailbox/pipe.ts';
import { TcpMailbox } from '../mailbox/tcp/mailbox.ts';
import { plain } from '../mailbox/tcp/transport.ts';
import type { Limits, Timing } from '../options/schema.ts';
import { defaultLimits, defaultTiming } from '../options/schema.ts';
import { anyPort } from './cluster.ts';
import { eventually } from './eventually.ts';
import { deaf } from './handlers.ts';
import { hello, RawPeer, testCodec, welcome } from './peer.ts';

/** A mailbox, and all that it told. */
export interface Box {
  readonly mailbox: TcpMailbox;
  readonly notices: Notice[];
  readonly received: StampedEnvelope[];
  readonly changes: PeerChange[];
}

const opened: TcpMailbox[] = [];
/** To be called after each test. */
export function abortBoxes(): void {
  for (const mailbox of opened.splice(0)) mailbox.abort();
}

export interface BoxOptions extends Partial<Limits>, Partial<Timing> {
  readonly listen?: Address;
  readonly transport?: Transport;
  readonly incarnation?: string;
  readonly founders?: () => string;
  readonly dataId?: string;
  readonly run?: number;
  readonly clock?: Clock;
  readonly urgent?: string;
  readonly beforeWrite?: () => void;
  /** Called before a message counts as received. */
  readonly receive?: (envelope: StampedEnvelope) => void;
}

export async function openBox(
  self: SiteId,
  peers: Record<SiteId, Address>,
  options: BoxOptions = {},
): Promise<Box> {
  const {
    listen = anyPort,
    incarnation = `${self}-1`,
    dataId = self,
    run = 1,
    clock = systemClock,
  } = options;
  const notices: Notice[] = [];
  const received: StampedEnvelope[] = [];
  const changes: PeerChange[] = [];
  const limits = { ...defaultLimits, ...options };
  const mailbox = new TcpMailbox({
    self,
    cluster: 'test',
    configuration: 'test',
    incarnation,
    dataId,
    run,
    transport: options.transport ?? plain,
    listen,
    peers,
    codec: testCodec,
    ...(options.founders && { founders: options.founders }),
    ...(options.urgent !== undefined && { urgent: options.urgent }),
    limits,
    timing: { ...defaultTiming, ...options },
    clock,
    random: systemRandom,
    notice: (notice) => notices.push(notice),
  });
  await mailbox.open({
    receive: (envelope) => {
      options.receive?.(envelope);
      received.push(envelope);
    },
    peerChanged: (change) => changes.push(change),
    beforeWrite: options.beforeWrite ?? deaf.beforeWrite,
  });
  opened.push(mailbox);
  return { mailbox, notices, received, changes };
}

export const nowhere: Address = { host: '127.0.0.1', port: 1 };

export const post = ({ mailbox }: Box, target: SiteId, text: string, seq = 1, type = 'NOTE') =>
  mailbox.post({
    source: mailbox.self,
    target,
    lock: 'main',
    message: { type, text } as { type: string },
    stamp: { seq, clock: { [mailbox.self]: seq } },
  });

export const texts = ({ received }: Box) =>
  received.map((envelope) => (envelope.message as unknown as { text: string }).text);

/** The changes of belief about the peers, in words. */
export const beliefs = ({ changes }: Box) =>
  changes.map((change) => `${change.peer} ${change.type === 'down' ? change.why : change.type}`);

/** `b` alone, with a peer `a` that the test plays. */
export async function openWithRawPeer(options: BoxOptions = {}) {
  const b = await openBox('b', { a: nowhere }, options);
  const a = await RawPeer.dial(b.mailbox.address);
  return { a, b };
}

/** The same, when they have met. */
export async function openWithMetPeer(options: BoxOptions = {}) {
  const { a, b } = await openWithRawPeer(options);
  await meetRaw(a, b);
  return { a, b };
}

/** `raw` says that it is `a`, in this incarnation, and how many messages it has been delivered. */
export async function meetRaw(raw: RawPeer, b: Box, change: object = {}, ack = 0): Promise<void> {
  raw.say(hello('a', 'b', change));
  await eventually(() => expect(raw.received).toContainEqual(expect.objectContaining({ type: 'welcome' })));
  raw.say(welcome('a', 'b', { ...change, ack }));
  await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
}

/** A server that the test plays. A peer that dials it gets the answer of `answer`, or none. */
export async function serveRaw(answer: () => object | null) {
  const accepted: RawPeer[] = [];
  const server = createServer((socket) => {
    const peer = RawPeer.over(socket);
    accepted.push(peer);
    const frame = answer();
    if (frame) peer.say(frame);
  });
  server.listen(anyPort);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { address: { host: anyPort.host, port }, accepted, stop: () => server.close() };
}
