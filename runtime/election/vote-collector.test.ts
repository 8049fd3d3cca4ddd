import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../harness/simulation/virtual-clock.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import { VoteCollector } from './vote-collector.ts';

function setUp() {
  const clock = new VirtualClock();
  const delivered: string[] = [];
  const ballot = new VoteCollector({
    clock,
    graceMs: 25,
    isUp: (voter) => voter !== 'gone',
    closed: () => undefined,
    deliver: ({ source, message }) => delivered.push(`${source} ${message.type}`),
  });
  const stand = (epoch: number, ...voters: readonly string[]) => {
    for (const target of voters) {
      const message: SiteMessage = { type: 'VOTE_REQUEST', epoch, candidate: 'a', term: 0, version: 1 };
      ballot.sent({ source: 'a', target, lock: 'main', message, stamp: { seq: 1, clock: {} } });
    }
  };
  const say = (source: string, message: SiteMessage) =>
    ballot.arrive({ source, target: 'a', lock: 'main', message, stamp: { seq: 1, clock: {} } });
  const vote = (source: string, holds: number | null, epoch = 1) =>
    say(source, { type: 'VOTE', epoch, voter: source, holds });
  const request = (source: string) => say(source, { type: 'REQUEST', epoch: 0, root: 'a', origin: source });
  return { clock, ballot, delivered, stand, say, vote, request };
}

describe('votes', () => {
  test('wait for those of all in reach; the holder counts first', () => {
    const { stand, delivered, vote } = setUp();
    stand(1, 'b', 'c', 'd');
    vote('b', null);
    vote('c', 0);
    expect(delivered).toEqual([]);
    vote('d', null);
    expect(delivered).toEqual(['c VOTE', 'b VOTE', 'd VOTE']);
  });

  test('are delivered after graceMs at the latest', () => {
    const { clock, stand, delivered, vote } = setUp();
    stand(1, 'b', 'gone', 'c');
    vote('b', null);
    clock.advance(24);
    expect(delivered).toEqual([]);
    clock.advance(1);
    expect(delivered).toEqual(['b VOTE']);
    vote('c', 0);
    expect(delivered).toEqual(['b VOTE', 'c VOTE']);
  });

  test('wait neither for a voter that is gone nor for one that refuses or has no room for the lock', () => {
    const { ballot, stand, delivered, vote, say } = setUp();
    stand(1, 'b', 'c', 'd', 'e');
    vote('b', null);
    ballot.absent('c');
    say('d', { type: 'REFUSE', epoch: 0, root: 'a', promise: 7 });
    say('e', { type: 'OVER', epoch: 0, from: 'e', full: true });
    expect(delivered).toEqual(['d REFUSE', 'e OVER', 'b VOTE']);
  });

  test('let nothing of their voter overtake them, and keep nothing of others back', () => {
    const { stand, delivered, vote, request } = setUp();
    stand(1, 'b', 'c');
    vote('b', null);
    request('b');
    request('c');
    expect(delivered).toEqual(['c REQUEST']);
    vote('c', 0);
    expect(delivered).toEqual(['c REQUEST', 'c VOTE', 'b VOTE', 'b REQUEST']);
  });

  test('for an earlier candidacy pass, and do not count as an answer', () => {
    const { stand, delivered, vote } = setUp();
    stand(1, 'b', 'c');
    vote('b', null);
    stand(2, 'b', 'c');
    vote('c', null, 1);
    vote('b', null, 2);
    expect(delivered).toEqual(['b VOTE', 'c VOTE']);
    vote('c', null, 2);
    expect(delivered).toEqual(['b VOTE', 'c VOTE', 'b VOTE', 'c VOTE']);
  });

  test('pass when nobody stands', () => {
    const { stand, delivered, vote, request } = setUp();
    vote('b', null);
    stand(1, 'gone');
    vote('b', null);
    request('b');
    expect(delivered).toHaveLength(3);
  });
});
