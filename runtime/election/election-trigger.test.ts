import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../harness/simulation/virtual-clock.ts';
import type { SiteId } from '../../machines/actor.ts';
import type { DurableState, SiteMessage, Suspicion } from '../../machines/epoch/messages.ts';
import type { DownReason } from '../api/peer.ts';
import { defaultTiming } from '../options/schema.ts';
import { ElectionTrigger } from './election-trigger.ts';

const { suspectMinMs, suspectMaxMs, electionMinMs, electionMaxMs, patienceMs } = defaultTiming;
const lock = 'main';

/** The trigger of `a`, with all peers up, and a hand that plays the statechart and the clock. */
class Play {
  readonly clock = new VirtualClock();
  readonly watch: ElectionTrigger;
  /** The grounds on which it stood last. */
  because: Suspicion | null = null;
  /** When it stood. */
  readonly #times: number[] = [];
  readonly #up = new Set<SiteId>();
  #disk = { promised: 0, epoch: 0, root: 'a' };
  #waits = false;
  #elected = false;

  constructor(sites: readonly SiteId[] = ['a', 'b', 'c'], fraction = () => 0.5, voters = sites) {
    this.watch = new ElectionTrigger({
      self: 'a',
      voters,
      timing: defaultTiming,
      clock: this.clock,
      random: { fraction, incarnation: () => 'a' },
      isUp: (peer) => this.#up.has(peer),
      durable: () => this.#disk,
      waits: () => this.#waits,
      suspect: (_, because) => this.#suspect(because),
    });
    this.watch.open(lock, false);
    for (const site of sites) if (site !== 'a') this.up(site);
  }

  up(peer: SiteId, incarnation = `${peer}-1`): void {
    this.#up.add(peer);
    this.watch.peer({ type: 'up', peer, incarnation });
  }

  /** `lost`: messages from here that it lost. */
  restarted(peer: SiteId, incarnation = `${peer}-2`, ...lost: readonly SiteMessage[]): void {
    const stamp = { seq: 1, clock: {} };
    const envelopes = lost.map((message) => ({ source: 'a', target: peer, lock, message, stamp }));
    this.#up.add(peer);
    this.watch.peer({ type: 'restarted', peer, incarnation, lost: envelopes });
  }

  down(peer: SiteId, why: DownReason = 'silent'): void {
    this.#up.delete(peer);
    this.watch.peer({ type: 'down', peer, why });
  }

  ask(): boolean {
    this.#waits = true;
    return this.watch.asked(lock) !== null;
  }

  settle(): void {
    this.#waits = false;
    this.watch.settled(lock);
  }

  /** It votes for, or stands for, `epoch`. */
  promise(epoch: number): void {
    this.#persist({ promised: epoch });
  }

  adopt(epoch: number, root = 'a'): void {
    this.#persist({ promised: Math.max(epoch, this.#disk.promised), epoch, root });
  }

  /** The site was restarted with this on its disk. */
  recover(disk: DurableState): void {
    this.#disk = disk;
    this.watch.open(lock, true);
  }

  /** The times at which it stood since the last call, with `ms` from now on. `elected`: it wins each election at once. */
  pass(ms: number, elected = false): number[] {
    this.#elected = elected;
    this.clock.advance(ms);
    this.#elected = false;
    return this.#times.splice(0);
  }

  #suspect(because: Suspicion): void {
    this.because = because;
    this.#times.push(this.clock.now());
    this.promise(this.#disk.promised + 1);
    if (this.#elected) this.adopt(this.#disk.promised);
  }

  #persist(change: Partial<DurableState>): void {
    const before = this.#disk;
    this.#disk = { ...before, ...change };
    this.watch.persisted(lock, before);
  }
}

const jitter = (fraction: number) => suspectMinMs + fraction * (suspectMaxMs - suspectMinMs);

describe('a death', () => {
  test('is suspected by a waiting site, once, after a jitter', () => {
    const play = new Play();
    play.ask();
    expect(play.pass(1_000)).toEqual([]);
    play.down('b', 'refused');
    expect(play.pass(patienceMs / 2, true)).toEqual([1_000 + jitter(0.5)]);
    expect(play.because).toEqual({ reason: 'death', down: { b: 'refused' } });
  });

  test('does not matter to a site that does not wait, until it does', () => {
    const play = new Play();
    play.down('b');
    expect(play.pass(1_000)).toEqual([]);
    expect(play.ask()).toBe(false);
    expect(play.pass(1_000, true)).toEqual([1_000 + jitter(0.5)]);
    play.settle();
    play.ask();
    expect(play.pass(patienceMs / 2)).toEqual([]);
  });

  test('does not matter any more when an epoch was promised after it', () => {
    const play = new Play();
    play.down('b');
    play.promise(1);
    play.adopt(1, 'c');
    play.ask();
    expect(play.pass(patienceMs / 2)).toEqual([]);
  });

  test('does matter when it came after the promise, though before the epoch', () => {
    const play = new Play();
    play.ask();
    play.promise(1);
    play.down('b');
    play.adopt(1, 'c');
    expect(play.pass(1_000, true)).toEqual([jitter(0.5)]);
  });

  test('of the root of the very epoch matters whenever it came', () => {
    const play = new Play();
    play.ask();
    play.down('b');
    play.adopt(1, 'b');
    expect(play.pass(1_000, true)).toEqual([jitter(0.5)]);
  });

  test('that was none is forgotten before it is acted upon', () => {
    const play = new Play();
    play.ask();
    play.down('b');
    expect(play.pass(suspectMinMs - 1)).toEqual([]);
    play.up('b');
    expect(play.pass(60_000)).toEqual([]);
  });

  test('of the earlier life of a site that is up again is one too', () => {
    const play = new Play();
    play.ask();
    play.down('b');
    play.restarted('b');
    expect(play.pass(60_000, true)).toEqual([jitter(0.5)]);
    play.restarted('b', 'b-2');
    expect(play.pass(60_000, true)).toEqual([60_000 + jitter(0.5)]);
  });

  test('is enough: another in the same moment is no further one, and a later one is', () => {
    const play = new Play(['a', 'b', 'c', 'd', 'e']);
    play.ask();
    play.down('b');
    play.down('c');
    expect(play.pass(1_000, true)).toHaveLength(1);
    play.up('c');
    play.down('d');
    expect(play.pass(1_000, true)).toHaveLength(1);
  });

  test('is suspected by two waiting sites at different times', () => {
    const [one, other] = [new Play(undefined, () => 0.1), new Play(undefined, () => 0.9)];
    for (const play of [one, other]) {
      play.ask();
      play.down('b');
    }
    expect(one.pass(1_000, true)).toEqual([jitter(0.1)]);
    expect(other.pass(1_000, true)).toEqual([jitter(0.9)]);
  });
});

describe('a token, a request or the news of an epoch that was sent to an earlier life', () => {
  const token: SiteMessage = { type: 'TOKEN', epoch: 0, root: 'a', k: 1, line: [] };
  const request: SiteMessage = { type: 'REQUEST', epoch: 0, root: 'a', origin: 'c' };
  const news: SiteMessage = { type: 'NEW', epoch: 0, root: 'a' };

  test.each([token, request, news])('is missed by nobody, so that the sender suspects: $type', (message) => {
    const play = new Play();
    play.restarted('b', 'b-2', message);
    expect(play.pass(60_000, true)).toEqual([jitter(0.5)]);
  });

  test('of an epoch that is over is missed by nobody at all', () => {
    const play = new Play();
    play.adopt(1, 'c');
    play.restarted('b', 'b-2', token, request, news, {
      type: 'VOTE_REQUEST',
      epoch: 1,
      candidate: 'a',
      term: 0,
      version: 1,
    });
    expect(play.pass(60_000)).toEqual([]);
  });
});

describe('a site that waits long', () => {
  test('behind a live holder is not disturbed, and suspects nobody while all are up', () => {
    const play = new Play();
    play.ask();
    expect(play.pass(3_600_000)).toEqual([]);
  });

  test('while a site is down suspects again, twice as late each time, and anew with the next wait', () => {
    const play = new Play();
    play.down('b');
    play.ask();
    const [first, ...later] = play.pass(8 * patienceMs, true);
    expect(first).toBe(jitter(0.5));
    expect(later.map((time) => time - first!)).toEqual([patienceMs, 3 * patienceMs, 7 * patienceMs]);
    expect(play.because).toEqual({ reason: 'patience', down: { b: 'silent' } });
    play.settle();
    play.ask();
    expect(play.pass(patienceMs)).toHaveLength(1);
  });
});

describe('an election that comes to nothing (R10)', () => {
  test('is followed by another, twice as late each time, up to the longest', () => {
    const play = new Play(undefined, () => 0);
    play.ask();
    play.down('b');
    const times = play.pass(20_000);
    const pauses = times.slice(1).map((time, index) => time - times[index]!);
    expect(pauses.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 20, 20].map((factor) => factor * electionMinMs));
    expect(Math.max(...pauses)).toBe(electionMaxMs);
  });

  test('of a candidate that was voted for is ended by a voter, wait or not, and not before the candidate would', () => {
    for (const fraction of [0, 0.99]) {
      const [voter, candidate] = [new Play(undefined, () => fraction), new Play(undefined, () => fraction)];
      voter.promise(1);
      const [voterTries] = voter.pass(10_000, true);
      candidate.ask();
      candidate.down('b');
      const [stands, triesAgain] = candidate.pass(10_000);
      expect(voterTries).toBeGreaterThanOrEqual(triesAgain! - stands!);
    }
  });

  test('is over with a new epoch, and so is the pause', () => {
    const play = new Play(undefined, () => 0);
    play.ask();
    play.down('b');
    expect(play.pass(1_600 + suspectMinMs)).toHaveLength(5);
    play.adopt(9);
    expect(play.pass(10_000)).toEqual([]);
    play.up('b');
    play.down('b');
    play.promise(10);
    expect(play.pass(2 * electionMinMs)).toHaveLength(1);
  });
});

describe('without a majority in reach', () => {
  test('a waiting site suspects at once, and only once', () => {
    const play = new Play();
    play.ask();
    play.down('b');
    play.down('c');
    expect(play.pass(3_600_000)).toEqual([0]);
  });

  test('a site suspects as it asks, unless it is frozen already', () => {
    const play = new Play();
    play.down('b');
    play.down('c');
    expect(play.ask()).toBe(true);
    play.promise(1);
    play.settle();
    expect(play.ask()).toBe(false);
    expect(play.pass(3_600_000)).toEqual([]);
  });

  test('a site in the critical section is left alone', () => {
    const play = new Play();
    play.ask();
    play.settle();
    play.down('b');
    play.down('c');
    expect(play.pass(3_600_000)).toEqual([]);
  });

  test('an epoch that comes all the same is not suspected again', () => {
    const play = new Play();
    play.ask();
    play.down('b');
    play.down('c');
    play.pass(10);
    play.adopt(5, 'b');
    expect(play.pass(3_600_000)).toEqual([]);
  });

  test('there is one suspicion when it is back', () => {
    const play = new Play();
    play.ask();
    play.down('b');
    play.down('c');
    play.pass(10_000);
    play.up('b');
    expect(play.pass(1_000, true)).toHaveLength(1);
  });

  test('only voters count, and this site where it votes', () => {
    const play = new Play(['a', 'b', 'c', 'd', 'e'], undefined, ['a', 'b', 'c']);
    play.down('d');
    play.down('e');
    play.down('b');
    expect(play.watch.majority).toBe(true);
    play.down('c');
    expect(play.watch.majority).toBe(false);
    expect(new Play(['a', 'b'], undefined, ['b']).watch.majority).toBe(true);
    expect(new Play(['a']).watch.majority).toBe(true);
  });
});

describe('a site that crashed and is back with its disk', () => {
  const back = (promised: number) => {
    const play = new Play();
    play.recover({ promised, epoch: 3, root: 'b' });
    return play;
  };

  test.each([3, 4])('stands when its client waits, and not before (promised %i)', (promised) => {
    const play = back(promised);
    expect(play.pass(60_000)).toEqual([]);
    expect(play.ask()).toBe(false);
    expect(play.pass(electionMaxMs, true)).toHaveLength(1);
  });

  test('has no need to when it hears of a new epoch', () => {
    const play = back(3);
    play.ask();
    play.adopt(4, 'c');
    expect(play.pass(60_000)).toEqual([]);
  });
});

test('when the death of a peer is a reason for thousands of locks, messages are read between a few of them and the next', () => {
  const clock = new VirtualClock();
  const names = Array.from({ length: 2_000 }, (_, index) => `order ${index}`);
  const disks = new Map(names.map((name) => [name, { promised: 0, epoch: 0, root: 'a' }]));
  /** How many it stood for in each turn of the event loop. */
  const turns = [0];
  const watch = new ElectionTrigger({
    self: 'a',
    voters: ['a', 'b', 'c'],
    timing: defaultTiming,
    clock: {
      now: () => clock.now(),
      nextTurn: (action) => clock.nextTurn(action),
      after: (delayMs, action) =>
        clock.after(delayMs, () => {
          turns.push(0);
          action();
        }),
    },
    random: { fraction: () => 0.5, incarnation: () => 'a' },
    isUp: (peer) => peer === 'c',
    durable: (name) => disks.get(name)!,
    waits: () => true,
    suspect: (name) => {
      turns[turns.length - 1]! += 1;
      const before = disks.get(name)!;
      disks.set(name, { ...before, promised: before.promised + 1 });
      watch.persisted(name, before);
    },
  });
  for (const name of names) watch.open(name, false);
  for (const peer of ['b', 'c']) watch.peer({ type: 'up', peer, incarnation: peer });
  for (const name of names) watch.asked(name);
  watch.peer({ type: 'down', peer: 'b', why: 'silent' });
  clock.advance(suspectMaxMs);
  expect(turns.reduce((sum, stood) => sum + stood, 0)).toBe(names.length);
  expect(Math.max(...turns)).toBeLessThanOrEqual(128);
});

describe('locks that were forgotten, and are asked for by thousands at once', () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `order ${index}`);
  /** As `a` finds them; `stood` are those for which it stands. */
  const ask = () => {
    const clock = new VirtualClock();
    const disks = new Map(names.map((name) => [name, { promised: 8, epoch: 0, root: 'a' }]));
    const stood: string[] = [];
    const persist = (name: string, change: Partial<DurableState>) => {
      const before = disks.get(name)!;
      disks.set(name, { ...before, ...change });
      watch.persisted(name, before);
    };
    const stand = (name: string) => {
      stood.push(name);
      persist(name, { promised: disks.get(name)!.promised + 1 });
    };
    const watch = new ElectionTrigger({
      self: 'a',
      voters: ['a', 'b', 'c'],
      timing: defaultTiming,
      clock,
      random: { fraction: () => 0.5, incarnation: () => 'a' },
      isUp: () => true,
      durable: (name) => disks.get(name)!,
      waits: () => true,
      suspect: stand,
    });
    for (const peer of ['b', 'c']) watch.peer({ type: 'up', peer, incarnation: peer });
    for (const name of names) watch.open(name, true, true);
    for (const name of names) if (watch.asked(name)) stand(name);
    return { clock, stood, elect: (name: string) => persist(name, { epoch: 9, promised: 9 }) };
  };

  test('are elected a few at a time, without a pause between', () => {
    const { clock, stood, elect } = ask();
    const startedAt = clock.now();
    for (let elected = 0; elected < names.length; ) {
      expect(stood.length - elected).toBeGreaterThan(0);
      expect(stood.length - elected).toBeLessThanOrEqual(64);
      for (const name of stood.slice(elected)) elect(name);
      elected = stood.length;
      clock.advance(1);
    }
    expect(stood).toEqual(names);
    expect(clock.now() - startedAt).toBeLessThan(names.length / 64 + 1);
  });

  test('do not wait for elections that fail', () => {
    const { clock, stood } = ask();
    clock.advance((names.length / 64 + 1) * electionMinMs);
    expect(new Set(stood).size).toBe(names.length);
  });
});
