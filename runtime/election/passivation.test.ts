import { describe, expect, test } from 'vitest';
import { seeded, VirtualClock } from '../../harness/simulation/virtual-clock.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import { defaultTiming } from '../options/schema.ts';
import {
  ElectionTrigger,
  type LockView,
  type Passivation,
  passivation,
  type WatchedLock,
} from './election-trigger.ts';

const peers = ['b', 'c', 'd', 'e'];
const locks = ['one', 'two', 'three', 'four'];
const always: Passivation = { ...passivation, few: 0 };
const never: Passivation = { ...passivation, isIdle: () => false };

/** The effects of a lock's machine so far. */
interface Machine {
  promised: number;
  epoch: number;
  root: string;
  waits: boolean;
  /** Was told to stand while it was bound. */
  putOff: boolean;
}

/** One watch of several, in an hour by chance from a seed: what it said, and when. */
function hour(seed: number, how: Passivation): string[] {
  const random = seeded(seed);
  const said: string[] = [];
  const clock = new VirtualClock();
  const up = new Set<string>();
  const due: string[] = [];
  // Not drawn in the order of the locks, which is another where some are idle.
  let jitter = 0;
  const watch = new ElectionTrigger({
    self: 'a',
    voters: ['a', ...peers],
    timing: defaultTiming,
    clock,
    random: { fraction: () => jitter, incarnation: () => 'a' },
    isUp: (peer) => up.has(peer),
    durable: (lock) => machines.get(lock)!,
    waits: (lock) => machines.get(lock)!.waits,
    suspect: (lock) => due.push(lock),
    passivation: how,
  });
  const machines = new Map<string, Machine>();
  for (const [index, lock] of locks.entries()) {
    const kept = { promised: index + 1, epoch: index, root: 'b' };
    const crashed = index % 2 === 1;
    machines.set(lock, {
      ...(crashed ? kept : { promised: 0, epoch: 0, root: 'a' }),
      waits: false,
      putOff: false,
    });
    watch.open(lock, crashed);
  }
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const persist = (lock: string, change: Partial<Machine>) => {
    const machine = machines.get(lock)!;
    const before = { ...machine };
    Object.assign(machine, change);
    watch.persisted(lock, before);
  };
  const stand = (lock: string) => {
    const machine = machines.get(lock)!;
    const fate = random();
    if (fate < 0.2) machine.putOff = true;
    else persist(lock, { promised: machine.promised + 1, putOff: false });
    if (fate > 0.6) persist(lock, { epoch: machine.promised, root: pick(['a', ...peers]) });
  };
  const act = () => {
    const lock = pick(locks);
    const peer = pick(peers);
    const machine = machines.get(lock)!;
    const what = random();
    if (what < 0.2 && !machine.waits) {
      machine.waits = true;
      const first = watch.asked(lock);
      said.push(`${clock.now()} ${lock} ${first?.reason}`);
      if (first) stand(lock);
    } else if (what < 0.35 && machine.waits) {
      machine.waits = false;
      watch.settled(lock);
    } else if (what < 0.4) persist(lock, { promised: machine.promised + 1 });
    else if (what < 0.45 && machine.putOff) stand(lock);
    else if (what < 0.6) {
      const epoch = Math.max(machine.promised, machine.epoch + 1);
      persist(lock, { promised: epoch, epoch, root: pick(['a', ...peers]) });
    } else if (what < 0.75) {
      up.add(peer);
      watch.peer({ type: 'up', peer, incarnation: '1' });
    } else if (what < 0.9) {
      up.delete(peer);
      watch.peer({ type: 'down', peer, why: 'silent' });
    } else {
      const message: SiteMessage = { type: 'NEW', epoch: machine.epoch, root: machine.root };
      const lost =
        random() < 0.5 ? [] : [{ source: 'a', target: peer, lock, message, stamp: { seq: 1, clock: null } }];
      up.add(peer);
      watch.peer({ type: 'restarted', peer, incarnation: '2', lost });
    }
  };
  for (let step = 0; step < 400; step++) {
    jitter = random();
    act();
    const until = clock.now() + random() * (step % 5 === 0 ? 20_000 : 60);
    do {
      if (due.length > 0) jitter = random();
      for (const lock of due.splice(0).sort()) {
        said.push(`${clock.now()} ${lock}`);
        stand(lock);
      }
    } while (clock.tick(until) || due.length > 0);
    clock.advance(until - clock.now());
  }
  return said;
}

const seeds = Array.from({ length: 150 }, (_, seed) => seed);
const differ = (how: Passivation) =>
  seeds.filter((seed) => hour(seed, how).join() !== hour(seed, never).join());

describe('a watch that forgets what idle locks need not be woken with', () => {
  test('says what it would say otherwise, at the same times', () => {
    for (const seed of seeds) {
      for (const few of [0, 2]) expect(hour(seed, { ...passivation, few })).toEqual(hour(seed, never));
    }
    expect(hour(1, never).length).toBeGreaterThan(50);
  });

  const rests = (also: (watched: LockView) => Partial<LockView>): Passivation => ({
    ...always,
    isIdle: (watched) => passivation.isIdle({ ...watched, ...also(watched) }),
  });
  const keeps = (change: Partial<WatchedLock>): Passivation => ({
    ...always,
    keep: (watched) => passivation.keep({ ...watched, ...change }),
  });

  test.each<[string, Passivation]>([
    ['the deaths that it has heard of', keeps({ covered: 0 })],
    ['that they are recovering', keeps({ recovering: false })],
    ['that they wait', rests(() => ({ waits: false, cause: null }))],
    ['that they were warned', rests(() => ({ warned: false }))],
    ['what was lost of them', rests(() => ({ lostOf: -1 }))],
    ['that they stand', rests(() => ({ stoodFor: 0, attempts: 0 }))],
    ['that they are frozen', rests(({ promised }) => ({ epoch: promised, cause: null }))],
  ])('and forgets %s does not', (_, how) => {
    expect(differ(how).length).toBeGreaterThan(0);
  });
});
