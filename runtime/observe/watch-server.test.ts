import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { EventLine } from '../../machines/record.ts';
import type { MembersRequest, WatchAsk, WatchTold } from '../../machines/watch.ts';
import { systemClock } from '../api/clock.ts';
import type { Membership } from '../api/members.ts';
import type { Viewer, WatchServerOptions } from '../api/watch.ts';
import { LiveFeed, mostWaitingBytes } from './live-feed.ts';
import { serveWatch } from './watch-server.ts';

const snapshot = { value: 'idle', context: { pad: 'x'.repeat(20_000) } };

/** A watched site whose locks a test drives. */
async function site(options: WatchServerOptions = {}, removeMember: () => Promise<Membership> = refuse) {
  let seq = 0;
  const tap = new LiveFeed({
    site: 'a',
    machine: 'epoch',
    peers: ['b'],
    clock: systemClock,
    now: Date.now,
    count: () => 1,
    names: (like) => ({ some: ['main'].filter((name) => name.includes(like)), more: false }),
    row: (lock) => ({
      ...{ lock, epoch: 0, frozen: false, token: true, line: [], held: null },
      ...{ waitedMs: [], waiting: 0, changedMs: 5 },
    }),
    peek: () => ({ seq, snapshot }),
    stood: () => null,
  });
  const watch = (viewer: Viewer) => tap.attach(viewer);
  const server = await serveWatch({ ...members, removeMember, watch }, options);
  onTestFinished(() => server.close());
  const happen = (count: number) => {
    let recorded = 0;
    for (let index = 0; index < count; index++) {
      seq++;
      if (!tap.wants('main')) continue;
      recorded++;
      const of = { version: 1, kind: 'event', site: 'a', lock: 'main', clock: {}, cause: null } as const;
      tap.record({ ...of, seq, event: { type: 'ask' }, snapshot, effects: [] });
    }
    return recorded;
  };
  return { server, tap, happen };
}

const refuse = () => Promise.reject(new Error('no member changes here'));
const membership: Membership = { generation: 1, term: 0, version: 1, voters: [], guests: [] };
const members = {
  members: () => membership,
  addMember: refuse,
  removeMember: refuse,
  replaceMember: refuse,
};

function open(url: string, options: { origin?: string; headers?: Record<string, string> } = {}): WebSocket {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  return socket;
}

const say = (socket: WebSocket, asked: WatchAsk) => socket.send(JSON.stringify(asked));

async function heard(socket: WebSocket): Promise<WatchTold> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return JSON.parse(data.toString()) as WatchTold;
}

/** The code and the reason with which its other end closes it. */
async function ended(socket: WebSocket): Promise<readonly [number, string]> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}

/** With what status it is refused. */
async function refused(url: string, options: Parameters<typeof open>[1] = {}): Promise<number | undefined> {
  const socket = open(url, options);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  return response.statusCode;
}

describe('a site that is watched over a WebSocket', () => {
  it('names its site, and sends a window', async () => {
    const { server, happen } = await site();
    const socket = open(server.url);
    expect(await heard(socket)).toMatchObject({ type: 'site', site: 'a', locks: ['main'] });
    say(socket, { type: 'watch', lock: 'main' });
    say(socket, { type: 'begin', events: 3, ms: 1_000 });
    expect(await heard(socket)).toMatchObject({ type: 'window', now: { seq: 0 } });
    expect(happen(10)).toBe(3);
    const told = await heard(socket);
    if (told.type !== 'lines') return expect.unreachable();
    expect(told.lines.map(([, line]) => (line as EventLine).seq)).toEqual([1, 2, 3]);
  });

  it('finds locks by a part of their names', async () => {
    const { server } = await site();
    const socket = open(server.url);
    await heard(socket);
    say(socket, { type: 'find', like: 'ai' });
    expect(await heard(socket)).toEqual({ type: 'found', like: 'ai', locks: ['main'], more: false });
  });

  it('gives the place of the viewer that has been silent for longest to a fresh one, and takes none from those that ask', async () => {
    const { server } = await site();
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const viewers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const socket = open(server.url);
        await heard(socket);
        return socket;
      }),
    );
    expect(await refused(server.url)).toBe(503);
    vi.advanceTimersByTime(20_000);
    for (const socket of viewers.slice(1)) {
      say(socket, { type: 'find', like: 'ai' });
      await heard(socket);
    }
    const gone = once(viewers[0]!, 'close');
    expect(await heard(open(server.url))).toMatchObject({ type: 'site' });
    await gone;
    expect(await refused(server.url)).toBe(503);
    expect(viewers.map(({ readyState }) => readyState === WebSocket.OPEN)).toEqual([
      false,
      ...Array.from({ length: 7 }, () => true),
    ]);
  });

  it('refuses pages, names that are none of its own, and a viewer without the token', async () => {
    const { server } = await site({ token: 'secret' });
    const known = `${server.url}?token=secret`;
    expect(await heard(open(known))).toMatchObject({ type: 'site' });
    expect(await refused(known, { origin: 'http://127.0.0.1:4700' })).toBe(403);
    expect(await refused(known, { headers: { host: 'evil.example' } })).toBe(403);
    expect(await refused(known, { headers: { host: 'no host at all' } })).toBe(403);
    expect(await refused(server.url)).toBe(401);
    expect(await refused(`${server.url}?token=secreT`)).toBe(401);
    const response = await fetch(server.url.replace('ws', 'http'));
    expect(response.status).toBe(426);
  });

  it('tells its viewers that the site is closed, those that come later too, and answers before', async () => {
    let removed: ((after: Membership) => void) | undefined;
    const { server, tap } = await site({ adminToken: 'a token of the administrator' }, () => {
      return new Promise((resolve) => {
        removed = resolve;
      });
    });
    const [watching, asking] = [open(server.url), open(server.url)];
    await Promise.all([heard(watching), heard(asking)]);
    const remove: MembersRequest = {
      type: 'members',
      change: { remove: 'a' },
      admin: 'a token of the administrator',
    };
    asking.send(JSON.stringify(remove));
    await vi.waitFor(() => expect(removed).toBeTypeOf('function'));
    tap.close();
    expect(await ended(watching)).toEqual([1001, 'the site is closed']);
    const later = open(server.url);
    const told: string[] = [];
    later.on('message', (data) => told.push(String(data)));
    expect(await ended(later)).toEqual([1001, 'the site is closed']);
    expect(told).toEqual([]);
    const [answer, end] = [heard(asking), ended(asking)];
    removed!(membership);
    expect(await answer).toMatchObject({ type: 'members', version: 1 });
    expect(await end).toEqual([1001, 'the site is closed']);
  });

  it('closes on any other message', async () => {
    const { server } = await site();
    for (const frame of ['', '{', '{"type":"release"}', '{"type":"begin","events":-1,"ms":1}', '[]']) {
      const socket = open(server.url);
      await heard(socket);
      socket.send(frame);
      const [code] = (await once(socket, 'close')) as [number];
      expect(code, frame).toBe(1008);
    }
  });

  it.each([
    [{ token: '' }, 'token: a token is a string that is not empty, got a string of 0 bytes'],
    [{ token: 5 }, 'token: a token is a string that is not empty, got a number'],
    [{ port: 1 }, 'port: there is no such key; there are listen, token, adminToken'],
    [{ listen: { port: 'any' } }, 'listen.port: a port is an integer from 0 to 65535, got "any"'],
    [
      { listen: { host: '' } },
      'listen.host: a host is a name or an IP address, with neither a scheme nor a port, got ""',
    ],
    [null, 'the options are { listen, token, adminToken }, got null'],
  ])('is told what is wrong with %j', async (options, message) => {
    const refused = { code: 'OPTIONS_INVALID', message: `OPTIONS_INVALID: ${message}` };
    await expect(site(options as WatchServerOptions)).rejects.toMatchObject(refused);
  });

  it('does not listen beyond loopback without a token', async () => {
    await expect(site({ listen: { host: '0.0.0.0' } })).rejects.toMatchObject({ code: 'INSECURE_LISTEN' });
  });

  it('never waits for a viewer that does not read, and keeps little for it', async () => {
    const { server, tap, happen } = await site();
    const { port } = server.address;
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    // A client of WebSocket by hand, which asks again and again and reads nothing.
    socket.write(upgradeTo(port));
    socket.pause();
    socket.write(masked({ type: 'watch', lock: 'main' }));
    const rounds = 200;
    const started = performance.now();
    let recorded = 0;
    let lost = 0;
    for (let round = 0; round < rounds; round++) {
      socket.write(masked({ type: 'begin', events: 50, ms: 1_000 }));
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (!tap.wants('main')) lost++;
      // It returns, whatever the viewer does.
      recorded += happen(50);
    }
    expect(recorded).toBeGreaterThan(0);
    expect(lost).toBeGreaterThan(rounds / 4);
    // The lines are limited by the kernel's buffers and `mostWaitingBytes`: far fewer than happened meanwhile, at the
    // allowed rate.
    expect(recorded * 20_000).toBeLessThan(mostWaitingBytes + 16e6);
    const seconds = (performance.now() - started) / 1_000;
    expect(recorded).toBeLessThan(Math.min(rounds * 50, Math.ceil(seconds) * 2_000) / 2);
  });
});

it.each([
  ['questions', () => masked({ type: 'members' })],
  // A pong carries the payload of its ping.
  ['pings', () => Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)])],
])('ends the connection of a viewer that sends %s and reads no answer', async (_, one) => {
  const { server } = await site();
  const { port } = server.address;
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  // Its connection is reset while it writes.
  socket.on('error', () => undefined).pause();
  socket.write(upgradeTo(port));
  const many = Buffer.concat(Array.from({ length: 2_000 }, one));
  const send = () => {
    while (socket.writable && socket.write(many));
  };
  socket.on('drain', send);
  send();
  await closed;
});

function upgradeTo(port: number): string {
  return (
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
  );
}

function masked(asked: WatchAsk | MembersRequest): Buffer {
  const text = Buffer.from(JSON.stringify(asked));
  // With a mask of zeros the text stays as it is.
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
}
