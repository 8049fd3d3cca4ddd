import { once } from 'node:events';
import { createServer } from 'node:net';
import { z } from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import { systemChance, systemClock } from '../doors.ts';
import { frameSchema, type StampedEnvelope } from '../frame/frames.ts';
import type { PeerChange } from '../mailbox/mailbox.ts';
import { TcpMailbox } from '../mailbox/tcp.ts';
import type { Address, Limits, Notice } from '../options.ts';
import { defaultLimits } from '../site.ts';
import { anyPort } from './cluster.ts';
import { deaf } from './handlers.ts';
import { RawPeer } from './peer.ts';

const sites = ['a', 'b', 'c'] as const;
const note = z.strictObject({ type: z.literal('NOTE'), text: z.string() });

/** A mailbox, and all that it told. */
export interface Box {
  readonly mailbox: TcpMailbox;
  readonly notices: Notice[];
  readonly received: StampedEnvelope[];
  readonly changes: PeerChange[];
}

const opened: TcpMailbox[] = [];
/** To be called after each test. */
export async function closeBoxes(): Promise<void> {
  await Promise.all(opened.splice(0).map((mailbox) => mailbox.close('closed')));
}

export async function openBox(
  self: SiteId,
  peers: Record<SiteId, Address>,
  {
    listen = anyPort,
    incarnation = `${self}-1`,
    ...limits
  }: Partial<Limits> & { listen?: Address; incarnation?: string } = {},
): Promise<Box> {
  const notices: Notice[] = [];
  const received: StampedEnvelope[] = [];
  const all = { ...defaultLimits, ...limits };
  const mailbox = new TcpMailbox({
    self,
    cluster: 'test',
    incarnation,
    listen,
    peers,
    codec: { schema: frameSchema([...sites], 'main', note), maxFrameBytes: all.maxFrameBytes },
    limits: all,
    clock: systemClock,
    chance: systemChance,
    notice: (notice) => notices.push(notice),
  });
  const changes: PeerChange[] = [];
  await mailbox.open({
    ...deaf,
    receive: (envelope) => received.push(envelope),
    peer: (change) => changes.push(change),
  });
  opened.push(mailbox);
  return { mailbox, notices, received, changes };
}

export const nowhere: Address = { host: '127.0.0.1', port: 1 };

export const post = ({ mailbox }: Box, target: SiteId, text: string, seq = 1) =>
  mailbox.post({
    source: mailbox.self,
    target,
    lock: 'main',
    message: { type: 'NOTE', text } as { type: string },
    stamp: { seq, clock: { [mailbox.self]: seq } },
  });

export const texts = ({ received }: Box) =>
  received.map((envelope) => (envelope.message as unknown as { text: string }).text);

/** `b` alone, with a peer `a` that the test plays. */
export async function openWithRawPeer(limits: Partial<Limits> = {}) {
  const b = await openBox('b', { a: nowhere }, limits);
  const a = await RawPeer.dial(b.mailbox.address);
  return { a, b };
}

/** A server that the test plays, and that says `frame`, or nothing, to whoever dials it. */
export async function serveRaw(frame: object | null) {
  const accepted: RawPeer[] = [];
  const server = createServer((socket) => {
    const peer = RawPeer.over(socket);
    accepted.push(peer);
    if (frame) peer.say(frame);
  });
  server.listen(anyPort);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { address: { host: anyPort.host, port }, accepted, stop: () => server.close() };
}
