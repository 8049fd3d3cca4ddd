import { expect, onTestFinished, test, vi } from 'vitest';
import type { ClusterEvents } from '../api/cluster.ts';
import type { Notice } from '../api/notice.ts';
import { Events } from './events.ts';

const fence = { generation: 1, epoch: 1, k: 2 };
const notices: readonly Notice[] = [
  { type: 'up', peer: 'b', incarnation: 'b-1' },
  { type: 'adopted', lock: 'main', epoch: 1, root: 'b' },
  { type: 'elected', lock: 'main', epoch: 2, root: 'a' },
  { type: 'lost', lock: 'main', fence },
  { type: 'left', peer: 'b' },
];

function listening() {
  const events = new Events();
  const heard: [string, unknown][] = [];
  const names: readonly (keyof ClusterEvents)[] = ['peer', 'epoch', 'elected', 'lost'];
  for (const name of names) events.on(name, (what) => heard.push([name, what]));
  return { events, heard };
}

test('each event tells of its own, and notice of all', () => {
  const { events, heard } = listening();
  const all: Notice[] = [];
  events.on('notice', (notice) => all.push(notice));
  events.start();
  for (const notice of notices) events.publish(notice);
  expect(heard).toEqual([
    ['peer', notices[0]],
    ['epoch', { lock: 'main', epoch: 1, root: 'b' }],
    ['elected', { lock: 'main', epoch: 2, root: 'a' }],
    ['lost', { lock: 'main', fence }],
  ]);
  expect(all).toEqual(notices);
});

test('events from before the first listener are delivered when it begins, in order', () => {
  const events = new Events();
  events.publish(notices[0]!);
  const all: Notice[] = [];
  const listener = (notice: Notice) => all.push(notice);
  events.on('notice', listener);
  expect(all).toEqual([]);
  events.start();
  events.publish(notices[1]!);
  events.off('notice', listener);
  events.publish(notices[2]!);
  expect(all).toEqual(notices.slice(0, 2));
});

test('a listener that throws disturbs neither the site nor the others', async () => {
  vi.useFakeTimers();
  const events = new Events();
  events.on('lost', () => {
    throw new Error('of the application');
  });
  const heard: unknown[] = [];
  events.on('lost', (what) => heard.push(what));
  events.start();
  expect(() => events.publish(notices[3]!)).not.toThrow();
  expect(heard).toHaveLength(1);
  expect(() => vi.runAllTimers()).toThrow('of the application');
  vi.useRealTimers();
});

test('as many may listen as like, without a word of a leak', async () => {
  const warned = vi.fn();
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  const events = new Events();
  for (let i = 0; i < 50; i++) events.on('peer', () => undefined);
  await new Promise(setImmediate);
  expect(warned).not.toHaveBeenCalled();
});
