import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { directory } from '../../cli/testing/directory.ts';
import { takingTurns, writeLines } from '../../cli/testing/recorded.ts';
import type { RecordLine } from '../../machines/record.ts';
import { Follower } from '../../verification/timeline/follow.ts';
import type { Timeline } from '../../verification/timeline/format.ts';
import { after } from '../page/frames.ts';
import type { Laid, LiveFrame } from '../protocol.ts';
import { onlyOne, showLive } from './live.ts';

/** A server that shows the records in a directory, and its port. */
async function following(shown: string | Follower, mostSteps = 5_000): Promise<number> {
  const follower = typeof shown === 'string' ? new Follower(shown) : shown;
  const server: Server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const live = showLive(onlyOne(follower), server, mostSteps, (reason) => expect.unreachable(reason));
  onTestFinished(() => {
    live.close();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function connect(port: number, origin?: string): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live`, origin === undefined ? {} : { origin });
  onTestFinished(() => socket.terminate());
  return socket;
}

async function frame(socket: WebSocket): Promise<LiveFrame> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return JSON.parse(data.toString()) as LiveFrame;
}

it('tells the whole first, then what is more', async () => {
  const dir = directory();
  const records = takingTurns(20);
  writeLines(dir, records, 0, 20);
  const port = await following(dir);
  const socket = connect(port, `http://127.0.0.1:${port}`);
  const whole = await frame(socket);
  if (whole.type !== 'whole') return expect.unreachable();
  expect(whole.timeline.sites.map(({ id }) => id)).toEqual(['a', 'b']);
  writeLines(dir, records, 20);
  const more = await frame(socket);
  if (more.type !== 'more') return expect.unreachable();
  const told = whole.timeline.steps.length + more.steps.length;
  expect(told).toBe(Object.values(records).reduce((sum, lines) => sum + lines.length - 1, 0));
});

function withFiller(line: RecordLine): RecordLine {
  if (line.kind !== 'event') return line;
  const { value, context } = line.snapshot;
  return { ...line, snapshot: { value, context: { ...(context as object), filler: 'x'.repeat(16_000) } } };
}

it('keeps the newest steps, and tells the page how many to forget, so that both have the same', async () => {
  const dir = directory();
  const records = takingTurns(400);
  writeLines(dir, records, 0, 2);
  const most = 60;
  const follower = new Follower(dir);
  const port = await following(follower, most);
  const socket = connect(port, `http://127.0.0.1:${port}`);
  let laid: Laid | null = null;
  let forgot = 0;
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as LiveFrame;
    if (frame.type === 'more') forgot += frame.forget;
    laid = after(laid, frame);
  });
  const last = () => (laid === null ? 0 : laid.timeline.steps.length + (laid.timeline.forgotten ?? 0));
  let told = 0;
  for (let written = 2; written < 402; written += 20) {
    writeLines(dir, records, written, written + 20);
    told += 40;
    await expect.poll(last, { interval: 10, timeout: 10_000 }).toBeGreaterThanOrEqual(told);
  }
  const timeline = JSON.parse(JSON.stringify(follower.telling!.timeline)) as Timeline;
  expect(laid!.timeline).toEqual(timeline);
  expect(timeline.steps.length).toBeLessThanOrEqual(most);
  expect(timeline.forgotten).toBe(forgot);
  expect(forgot).toBeGreaterThan(600);
});

it('refuses pages of others', async () => {
  const port = await following(directory());
  for (const origin of ['https://elsewhere.example', `http://127.0.0.1:${port + 1}`, undefined]) {
    const [error] = (await once(connect(port, origin), 'error')) as [Error];
    expect(error.message).toContain('403');
  }
});

it('gives a page that does not read the whole again, and not every step', async () => {
  const dir = directory();
  // More than the sockets of both ends hold.
  const records = Object.fromEntries(
    Object.entries(takingTurns(700)).map(([site, lines]) => [site, lines.map((line) => withFiller(line))]),
  );
  writeLines(dir, records, 0, 2);
  const port = await following(dir);
  const socket = connect(port, `http://127.0.0.1:${port}`);
  expect((await frame(socket)).type).toBe('whole');
  socket.pause();
  let written = 2;
  const writer = setInterval(() => {
    writeLines(dir, records, written, written + 100);
    written += 100;
  }, 150);
  onTestFinished(() => clearInterval(writer));
  while (written < 1_400) await new Promise((resolve) => setTimeout(resolve, 50));
  const kinds: string[] = [];
  socket.on('message', (data: Buffer) => kinds.push((JSON.parse(data.toString()) as LiveFrame).type));
  socket.resume();
  while (!kinds.includes('whole')) await once(socket, 'message');
  expect(kinds).toContain('whole');
});
