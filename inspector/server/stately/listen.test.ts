import { once } from 'node:events';
import { createWebSocketInspector } from '@statelyai/inspect';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { createActor, sendTo, setup } from 'xstate';
import { chrome, launch, watchedPage } from '../../../cli/testing/browser.ts';
import type { Timeline } from '../../../verification/timeline/format.ts';
import type { LiveFrame } from '../../protocol.ts';
import { openStately, type StatelyPage } from './listen.ts';

const pong = setup({}).createMachine({
  id: 'pong',
  initial: 'quiet',
  states: { quiet: { on: { PING: 'called' } }, called: {} },
});
/** Invokes `pong`, and forwards its events to it. */
const ping = setup({ actors: { pong } }).createMachine({
  id: 'ping',
  invoke: { src: 'pong', id: 'pong' },
  initial: 'ready',
  states: {
    ready: { on: { go: { target: 'gone', actions: sendTo('pong', { type: 'PING' }) } } },
    gone: { on: { back: 'ready' } },
  },
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function listening(mostSteps?: number): Promise<StatelyPage> {
  const page = await openStately(0, mostSteps);
  ends.push(() => page.close());
  return page;
}

/** An app as users write it. */
function app(url: string) {
  const inspector = createWebSocketInspector({ url });
  const actor = createActor(ping, { inspect: inspector.inspect });
  ends.push(() => {
    actor.stop();
    inspector.stop();
  });
  return actor.start();
}

/** The timeline that a page gets when it connects now, once it is as expected. */
async function shown(page: StatelyPage, isExpected: (timeline: Timeline) => boolean): Promise<Timeline> {
  for (;;) {
    const socket = new WebSocket(`${page.url.replace('http', 'ws')}api/live`, {
      origin: page.url.slice(0, -1),
    });
    const [data] = (await once(socket, 'message')) as [Buffer];
    socket.terminate();
    const frame = JSON.parse(data.toString()) as LiveFrame;
    if (frame.type === 'whole' && isExpected(frame.timeline)) return frame.timeline;
  }
}

it('shows an app that tells it by WebSocket: its actors, their statecharts, the senders of events', async () => {
  const page = await listening();
  app(page.appUrl).send({ type: 'go' });
  const timeline = await shown(page, ({ messages }) => messages.some(({ fate }) => fate === 'received'));
  expect(timeline.sites).toEqual([
    { id: 'ping', machine: 'ping', group: 'ping' },
    { id: 'pong', machine: 'pong', group: 'pong' },
  ]);
  // Told as JSON with its keys in order, not in the machine's.
  expect(timeline.machines['pong']!.root.children.map(({ key }) => key)).toEqual(['called', 'quiet']);
  const received = timeline.steps.find(({ event }) => event?.type === 'PING')!;
  expect(received).toMatchObject({ site: 'pong', kind: 'deliver', text: 'pong receives PING from ping' });
  expect(received.sites['pong']).toMatchObject({ up: true, value: 'called' });
  expect(received.taken).toEqual(['pong.quiet|PING|0']);
  expect(timeline.messages[received.message!]).toMatchObject({ source: 'ping', target: 'pong' });
});

it('begins anew where the steps have led, and tells two apps apart', async () => {
  const page = await listening(12);
  const first = app(page.appUrl);
  await shown(page, ({ sites }) => sites.length === 2);
  app(page.appUrl);
  await shown(page, ({ sites }) => sites.length === 4);
  for (let turn = 0; turn < 6; turn++) {
    first.send({ type: 'go' });
    first.send({ type: 'back' });
  }
  const anew = await shown(page, ({ start }) => start.sites['pong']?.value === 'called');
  expect(anew.sites.map(({ id }) => id).sort()).toEqual(['ping', 'ping 2', 'pong', 'pong 2']);
  expect(anew.start.sites['pong 2']).toMatchObject({ up: true, value: 'quiet' });
});

it('refuses pages from elsewhere, other paths, other names, and what is no inspection event', async () => {
  const page = await listening();
  const refusal = async (url: string, options: object) => {
    const socket = new WebSocket(url, options);
    onTestFinished(() => socket.terminate());
    const [error] = (await once(socket, 'error')) as [Error];
    return error.message;
  };
  expect(await refusal(page.appUrl, { origin: 'https://elsewhere.example' })).toContain('403');
  expect(await refusal(page.appUrl, { headers: { host: 'elsewhere.example' } })).toContain('403');
  expect(await refusal(`${page.appUrl}x`, { origin: page.url.slice(0, -1) })).toContain('404');
  const local = new WebSocket(page.appUrl, { origin: 'http://localhost:5173' });
  await once(local, 'open');
  local.send('{"type":"@xstate.actor"}');
  const [code] = (await once(local, 'close')) as [number];
  expect(code).toBe(1008);
});

it.skipIf(chrome === null)('is drawn by the page', async () => {
  const page = await listening();
  const browser = await launch();
  ends.push(() => browser.close());
  const { page: tab, complaints } = await watchedPage(browser);
  await tab.goto(page.url);
  app(page.appUrl).send({ type: 'go' });
  await tab.locator('.now', { hasText: 'go' }).waitFor();
  await tab.waitForSelector('.state.active');
  expect(complaints).toEqual([]);
});
