import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../harness/simulation/virtual-clock.ts';
import type { RecordLine } from '../../machines/record.ts';
import type { WatchTold } from '../../machines/watch.ts';
import { LiveFeed, mostWaitingBytes } from './live-feed.ts';

const snapshot = { value: 'idle', context: {} };

function line(seq: number, lock = 'main'): RecordLine {
  const of = { version: 1, kind: 'event', site: 'a', lock, seq, clock: {}, cause: null } as const;
  return { ...of, event: { type: 'ask' }, snapshot, effects: [] };
}

function tapped(known = ['main', 'other']) {
  const clock = new VirtualClock();
  let seq = 0;
  let looks = 0;
  const tap = new LiveFeed({
    site: 'a',
    machine: 'epoch',
    peers: ['b'],
    clock,
    now: () => clock.now(),
    count: () => known.length,
    names: (like, most) => {
      looks++;
      const found = known.filter((name) => name.includes(like));
      return { some: found.slice(0, most), more: found.length > most };
    },
    row: (lock) => ({
      ...{ lock, epoch: 0, frozen: false, token: true, line: [], held: null },
      ...{ waitedMs: [], waiting: 0, changedMs: 5 },
    }),
    peek: (lock) => (lock === 'nowhere' ? null : { seq, snapshot }),
    stood: (lock) => (lock === 'main' ? stood : null),
  });
  const stood = { epoch: 3, agoMs: 20, because: { reason: 'death', down: { b: 'silent' } } };
  const told: WatchTold[] = [];
  const viewer = { waiting: 0, send: (frame: string) => void told.push(JSON.parse(frame) as WatchTold) };
  const session = tap.attach(viewer);
  /** Makes `count` events happen, as far as a viewer wants them; returns how many did. */
  const happen = (count: number, lock = 'main') => {
    let wanted = 0;
    for (let index = 0; index < count; index++) {
      seq++;
      if (!tap.wants(lock)) continue;
      wanted++;
      tap.record(line(seq, lock));
    }
    return wanted;
  };
  /** The frames since the last call. */
  const heard = () => told.splice(0);
  const seqs = (frames: readonly WatchTold[]) =>
    frames.flatMap((one) =>
      one.type === 'lines' ? one.lines.map(([, of]) => (of.kind === 'event' ? of.seq : -1)) : [],
    );
  return { tap, session, viewer, clock, happen, heard, seqs, looks: () => looks };
}

describe('a tap', () => {
  it('finds locks by a part of their names: of what is asked in short order, the last', () => {
    const known = Array.from({ length: 300 }, (_, n) => `invoice ${n}`);
    const { session, clock, heard, looks } = tapped(known);
    heard();
    const before = looks();
    for (const like of ['i', 'in', 'invoice 29']) session.ask({ type: 'find', like });
    clock.advance(0);
    expect(heard()).toEqual([
      {
        type: 'found',
        like: 'invoice 29',
        locks: known.filter((one) => one.includes('invoice 29')),
        more: false,
      },
    ]);
    session.ask({ type: 'find', like: 'invoice' });
    clock.advance(100);
    expect(heard()).toEqual([]);
    clock.advance(100);
    const [told] = heard();
    expect(told).toMatchObject({ type: 'found', like: 'invoice', more: true });
    expect(told?.type === 'found' && told.locks).toHaveLength(100);
    expect(looks() - before).toBe(2);
  });

  it('tells the state of locks by a part of their names, beside what is found, and as seldom', () => {
    const known = Array.from({ length: 600 }, (_, n) => `invoice ${n}`);
    const { session, clock, heard } = tapped(known);
    heard();
    session.ask({ type: 'table', like: 'nothing' });
    session.ask({ type: 'find', like: 'invoice 599' });
    session.ask({ type: 'table', like: '' });
    clock.advance(0);
    const [table, found, ...others] = heard();
    expect(others).toEqual([]);
    expect(found).toMatchObject({ type: 'found', locks: ['invoice 599'] });
    expect(table).toMatchObject({ type: 'table', like: '', more: true });
    expect(table?.type === 'table' && table.locks).toHaveLength(500);
    session.ask({ type: 'table', like: 'invoice 7' });
    clock.advance(199);
    expect(heard()).toEqual([]);
    clock.advance(1);
    const rows = known.filter((lock) => lock.includes('invoice 7'));
    const [told] = heard();
    expect(told?.type === 'table' && told.locks.map(({ lock }) => lock)).toEqual(rows);
  });

  it('wants nothing while nobody watches, and nothing of other locks', () => {
    const { tap, session, happen, heard } = tapped();
    expect(heard()).toEqual([
      {
        type: 'site',
        version: 1,
        site: 'a',
        machine: 'epoch',
        peers: ['b'],
        locks: ['main', 'other'],
        count: 2,
      },
    ]);
    expect(happen(100)).toBe(0);
    session.ask({ type: 'begin', events: 10, ms: 1_000 });
    expect(happen(100), 'no lock is named').toBe(0);
    expect(heard(), 'until then it says which there are').toMatchObject([{ type: 'site', count: 2 }]);
    session.ask({ type: 'watch', lock: 'main' });
    session.ask({ type: 'begin', events: 10, ms: 1_000 });
    expect(happen(5, 'other')).toBe(0);
    expect(happen(5)).toBe(5);
    session.close();
    expect(happen(5)).toBe(0);
    expect(tap.wants('main')).toBe(false);
  });

  it('begins each window with how all is, tells every event in it, and ends it when it is full', () => {
    const { session, clock, happen, heard, seqs } = tapped();
    session.ask({ type: 'watch', lock: 'main' });
    happen(7);
    heard();
    session.ask({ type: 'begin', events: 10, ms: 1_000 });
    expect(happen(100)).toBe(10);
    const first = heard();
    expect(first.map(({ type }) => type)).toEqual(['window', 'lines', 'end']);
    expect(first[0]).toMatchObject({ now: { seq: 7 }, stood: { epoch: 3, agoMs: 20 } });
    expect(first[2]).toMatchObject({ why: 'full' });
    expect(seqs(first)).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
    clock.advance(5_000);
    expect(heard()).toEqual([]);
    session.ask({ type: 'begin', events: 10, ms: 1_000 });
    expect(heard()[0]).toMatchObject({ type: 'window', now: { seq: 107 } });
  });

  it('joins windows that are asked for in time: then nothing is missed, and nothing told twice', () => {
    const { session, clock, happen, heard, seqs } = tapped();
    session.ask({ type: 'watch', lock: 'main' });
    heard();
    for (let second = 0; second < 5; second++) {
      session.ask({ type: 'begin', events: 300, ms: 2_500 });
      for (let part = 0; part < 10; part++) {
        happen(20);
        clock.advance(100);
      }
    }
    const frames = heard();
    expect(frames.filter(({ type }) => type === 'window')).toHaveLength(1);
    expect(frames.filter(({ type }) => type === 'end')).toHaveLength(0);
    expect(seqs(frames)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    // A viewer that asks no more is told no more.
    clock.advance(3_000);
    expect(heard().map(({ type }) => type)).toEqual(['end']);
    expect(happen(50)).toBe(0);
  });

  it('keeps nothing for a viewer that is too slow, which loses windows', () => {
    const { session, viewer, clock, happen, heard } = tapped();
    session.ask({ type: 'watch', lock: 'main' });
    session.ask({ type: 'begin', events: 300, ms: 1_000 });
    happen(20);
    heard();
    viewer.waiting = mostWaitingBytes + 1;
    clock.advance(60);
    expect(heard()).toMatchObject([{ type: 'end', why: 'slow' }]);
    session.ask({ type: 'begin', events: 300, ms: 1_000 });
    expect(heard()).toEqual([]);
    expect(happen(1_000)).toBe(0);
    viewer.waiting = 0;
    session.ask({ type: 'begin', events: 300, ms: 1_000 });
    expect(heard()).toMatchObject([{ type: 'window', now: { seq: 1_020 } }]);
    expect(happen(5)).toBe(5);
  });

  it('tells so much a second and no more, however often it is asked', () => {
    const { session, clock, happen } = tapped();
    session.ask({ type: 'watch', lock: 'main' });
    for (let second = 0; second < 3; second++) {
      let recorded = 0;
      for (let asked = 0; asked < 500; asked++) {
        session.ask({ type: 'begin', events: 50, ms: 1_000 });
        recorded += happen(50);
      }
      expect(recorded).toBeGreaterThan(1_900);
      expect(recorded).toBeLessThanOrEqual(2_000);
      clock.advance(1_000);
    }
  });

  it('tells each viewer its own lock', () => {
    const { tap, session, clock, happen, heard, seqs } = tapped();
    const other: WatchTold[] = [];
    const second = tap.attach({ waiting: 0, send: (frame) => void other.push(JSON.parse(frame)) });
    session.ask({ type: 'watch', lock: 'main' });
    second.ask({ type: 'watch', lock: 'nowhere' });
    for (const one of [session, second]) one.ask({ type: 'begin', events: 50, ms: 1_000 });
    happen(3);
    happen(2, 'nowhere');
    clock.advance(100);
    expect(seqs(heard())).toEqual([1, 2, 3]);
    expect(other[1]).toMatchObject({ type: 'window', now: null });
    expect(seqs(other)).toEqual([4, 5]);
  });
});
