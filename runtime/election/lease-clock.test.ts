import { expect, test } from 'vitest';
import { VirtualClock } from '../../harness/simulation/virtual-clock.ts';
import type { Message } from '../../machines/actor.ts';
import { LeaseClock } from './lease-clock.ts';

function play(leaseMs = 100, driftShare = 0) {
  const clock = new VirtualClock();
  const told: { readonly at: number; readonly event: Message }[] = [];
  const wake = () => told.push(...leases.due().map((event) => ({ at: clock.now(), event })));
  let isWanted = false;
  const leases = new LeaseClock({ clock, leaseMs, driftShare, wanted: () => isWanted, wake });
  const want = (wanted: boolean) => {
    isWanted = wanted;
    leases.update();
  };
  const pass = (ms: number) => {
    const until = clock.now() + ms;
    while (clock.tick(until));
    return told.splice(0).map(({ at, event }) => `${at} ${event.type}`);
  };
  return { clock, leases, want, pass };
}

test('a lease is over after its time, each of them once', () => {
  const { leases, pass } = play();
  leases.take({ type: 'leaseTimer', epoch: 0, round: 1 });
  expect(pass(1_000)).toEqual(['100 leaseOver']);
});

test('the time of a round that is taken again takes the place of the one before', () => {
  const { clock, leases, pass } = play();
  leases.take({ type: 'leaseTimer', epoch: 0, round: 1 });
  leases.take({ type: 'leaseTimer', epoch: 1, round: 1 });
  clock.after(60, () => leases.take({ type: 'leaseTimer', epoch: 0, round: 1 }));
  expect(pass(1_000)).toEqual(['100 leaseOver', '160 leaseOver']);
});

test('a promise outlasts every lease that was begun before it, by any two clocks', () => {
  const { leases, pass } = play(100, 0.2);
  leases.take({ type: 'promiseTimer' });
  // 150 ms by a clock a fifth too fast are 125, as are 100 by one a fifth too slow.
  expect(pass(1_000)).toEqual(['150 promiseOver']);
});

test('a later promise takes the place of an earlier one', () => {
  const { clock, leases, pass } = play();
  leases.take({ type: 'promiseTimer' });
  clock.after(60, () => leases.take({ type: 'promiseTimer' }));
  expect(pass(1_000)).toEqual(['160 promiseOver']);
});

test('heartbeats are due while the client waits or is inside, from the first lease on', () => {
  const { clock, leases, want, pass } = play();
  want(true);
  expect(pass(50)).toEqual([]);
  leases.take({ type: 'leaseTimer', epoch: 0, round: 1 });
  clock.after(60, () => want(false));
  expect(pass(1_000)).toEqual(['25 heartbeat', '50 heartbeat', '100 leaseOver']);
  want(true);
  expect(pass(30)).toEqual(['125 heartbeat']);
  want(false);
  expect(pass(1_000)).toEqual([]);
});

test('a process that was stopped gets all passed ends at once, in their order', () => {
  const sleeper = new Sleeper();
  const late = new LeaseClock({
    clock: sleeper,
    leaseMs: 100,
    driftShare: 0,
    wanted: () => false,
    wake: () => undefined,
  });
  late.take({ type: 'leaseTimer', epoch: 3, round: 1 });
  late.take({ type: 'promiseTimer' });
  sleeper.time = 500;
  expect(late.due()).toEqual([{ type: 'leaseOver', epoch: 3, round: 1 }, { type: 'promiseOver' }]);
  expect(late.due()).toEqual([]);
});

/** Its timers never fire: time has passed, and nobody was there. */
class Sleeper extends VirtualClock {
  time = 0;

  override now(): number {
    return this.time;
  }
}
