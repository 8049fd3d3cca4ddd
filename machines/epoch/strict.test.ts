import { expect, test } from 'vitest';
import { play } from './testing/play.ts';

/* Strict mode: protocol.md, section 3. Lines as in `site.test.ts`. */

test('a site with the token enters under the promises of a majority', () => {
  expect(play('strict, founder b', 'ask', 'PROMISE 0 b, c 1', 'PROMISE 0 b, a 1')).toMatchInlineSnapshot(`
    "
    ask: leaseTimer 0 1; promiseTimer; HEARTBEAT 0 b b 1 false to a; HEARTBEAT 0 b b 1 false to c
        entering, root, following 0: last nil, line [], token, bound
    PROMISE 0 b, c 1: leased 0 1; grant (0, 1)
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    PROMISE 0 b, a 1: nothing
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    "
  `);
  expect(play('strict, founder a', 'ask', 'TOKEN 0 a, 4', 'PROMISE 0 a, c 1')).toMatchInlineSnapshot(`
    "
    ask: REQUEST 0 a b to a
        requesting, root, following 0: last nil, line []
    TOKEN 0 a, 4: leaseTimer 0 1; promiseTimer; HEARTBEAT 0 a b 1 false to a; HEARTBEAT 0 a b 1 false to c
        entering, root, following 0: last nil, line [], token, bound
    PROMISE 0 a, c 1: leased 0 1; grant (0, 5)
        inCS, root, following 0: last nil, line [], token, fence (0, 5), bound
    "
  `);
});

test('a lease serves later entries until it is over', () => {
  expect(
    play('strict, founder b', 'ask', 'PROMISE 0 b, c 1', 'release', 'ask', 'release', 'leaseOver 0 1', 'ask'),
  ).toMatchInlineSnapshot(`
    "
    ask: leaseTimer 0 1; promiseTimer; HEARTBEAT 0 b b 1 false to a; HEARTBEAT 0 b b 1 false to c
        entering, root, following 0: last nil, line [], token, bound
    PROMISE 0 b, c 1: leased 0 1; grant (0, 1)
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    release: nothing
        idle, root, following 0: last nil, line [], token, bound
    ask: grant (0, 2)
        inCS, root, following 0: last nil, line [], token, fence (0, 2), bound
    release: nothing
        idle, root, following 0: last nil, line [], token, bound
    leaseOver 0 1: leaseEnded 0 1
        idle, root, following 0: last nil, line [], token, bound
    ask: leaseTimer 0 2; promiseTimer; HEARTBEAT 0 b b 2 false to a; HEARTBEAT 0 b b 2 false to c
        entering, root, following 0: last nil, line [], token, bound
    "
  `);
});

test('a site that stays inside renews its lease, and leaves when the lease ends', () => {
  expect(
    play(
      'strict, founder b',
      'ask',
      'PROMISE 0 b, c 1',
      'heartbeat',
      'heartbeat',
      'PROMISE 0 b, c 2',
      'leaseOver 0 1',
      'REQUEST 0 b, a',
      'leaseOver 0 2',
    ),
  ).toMatchInlineSnapshot(`
    "
    ask: leaseTimer 0 1; promiseTimer; HEARTBEAT 0 b b 1 false to a; HEARTBEAT 0 b b 1 false to c
        entering, root, following 0: last nil, line [], token, bound
    PROMISE 0 b, c 1: leased 0 1; grant (0, 1)
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    heartbeat: leaseTimer 0 2; promiseTimer; HEARTBEAT 0 b b 2 true to a; HEARTBEAT 0 b b 2 true to c
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    heartbeat: nothing
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    PROMISE 0 b, c 2: leased 0 2
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    leaseOver 0 1: nothing
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    REQUEST 0 b, a: nothing
        inCS, root, following 0: last nil, line [a], token, fence (0, 1), bound
    leaseOver 0 2: leaseEnded 0 2; lost (0, 1); TOKEN 0 b 1 [] to a
        idle, forwarding, following 0: last a, line [], bound
    "
  `);
});

test('a round whose time is over does not become a lease', () => {
  expect(
    play('strict, founder b', 'ask', 'leaseOver 0 1', 'PROMISE 0 b, c 1', 'heartbeat', 'PROMISE 0 b, c 1'),
  ).toMatchInlineSnapshot(`
    "
    ask: leaseTimer 0 1; promiseTimer; HEARTBEAT 0 b b 1 false to a; HEARTBEAT 0 b b 1 false to c
        entering, root, following 0: last nil, line [], token, bound
    leaseOver 0 1: leaseEnded 0 1
        entering, root, following 0: last nil, line [], token, bound
    PROMISE 0 b, c 1: nothing
        entering, root, following 0: last nil, line [], token, bound
    heartbeat: leaseTimer 0 2; promiseTimer; HEARTBEAT 0 b b 2 false to a; HEARTBEAT 0 b b 2 false to c
        entering, root, following 0: last nil, line [], token, bound
    PROMISE 0 b, c 1: nothing
        entering, root, following 0: last nil, line [], token, bound
    "
  `);
});

test('a bound site neither votes nor stands until its promise is over', () => {
  expect(
    play('strict, founder a', 'HEARTBEAT 0 a, a 1', 'suspect', 'VOTE_REQUEST 1 c', 'promiseOver'),
  ).toMatchInlineSnapshot(`
    "
    HEARTBEAT 0 a, a 1: promiseTimer; PROMISE 0 a b 1 to a
        idle, forwarding, following 0: last a, line [], bound
    suspect: nothing
        idle, forwarding, following 0: last a, line [], bound
    VOTE_REQUEST 1 c: nothing
        idle, forwarding, following 0: last a, line [], bound
    promiseOver: promiseEnded; disk 1 0 a; VOTE 1 b - to c
        idle, forwarding, frozen 0, promised 1: last a, line []
    "
  `);
  expect(
    play('strict, founder a', 'HEARTBEAT 0 a, a 1', 'suspect', 'suspect', 'promiseOver'),
  ).toMatchInlineSnapshot(`
    "
    HEARTBEAT 0 a, a 1: promiseTimer; PROMISE 0 a b 1 to a
        idle, forwarding, following 0: last a, line [], bound
    suspect: nothing
        idle, forwarding, following 0: last a, line [], bound
    suspect: nothing
        idle, forwarding, following 0: last a, line [], bound
    promiseOver: promiseEnded; disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
        idle, forwarding, candidate 0, promised 1: last a, line []
    "
  `);
});

test('a site that defers a candidacy promises only to a site that stays inside', () => {
  expect(
    play(
      'strict, founder a',
      'HEARTBEAT 0 a, a 1',
      'VOTE_REQUEST 1 c',
      'HEARTBEAT 0 a, c 1',
      'HEARTBEAT 0 a, a 2 stays',
    ),
  ).toMatchInlineSnapshot(`
    "
    HEARTBEAT 0 a, a 1: promiseTimer; PROMISE 0 a b 1 to a
        idle, forwarding, following 0: last a, line [], bound
    VOTE_REQUEST 1 c: nothing
        idle, forwarding, following 0: last a, line [], bound
    HEARTBEAT 0 a, c 1: nothing
        idle, forwarding, following 0: last a, line [], bound
    HEARTBEAT 0 a, a 2 stays: promiseTimer; PROMISE 0 a b 2 to a
        idle, forwarding, following 0: last a, line [], bound
    "
  `);
});

test('a restarted site is bound by the promises that it may have made before', () => {
  expect(
    play('strict, crashed in 1 of a', 'VOTE_REQUEST 2 c', 'HEARTBEAT 1 a, a 1', 'promiseOver'),
  ).toMatchInlineSnapshot(`
    "
    VOTE_REQUEST 2 c: nothing
        idle, forwarding, closed 1: last a, line [], bound
    HEARTBEAT 1 a, a 1: nothing
        idle, forwarding, closed 1: last a, line [], bound
    promiseOver: promiseEnded; disk 2 1 a; VOTE 2 b - to c
        idle, forwarding, frozen 1, promised 2: last a, line []
    "
  `);
});

test('a site that needs no other voter may enter when its promise ends, before it hears that no site waits', () => {
  expect(
    play('strict, the only voter, crashed in 1 of b', 'ask', 'suspect', 'promiseOver', 'withdraw', 'release'),
  ).toMatchInlineSnapshot(`
    "
    ask: nothing
        requesting, root, closed 1: last nil, line [], bound
    suspect: nothing
        requesting, root, closed 1: last nil, line [], bound
    promiseOver: promiseEnded; disk 2 1 b; elected for 2, root b; disk 2 2 b; NEW 2 b to all; leaseTimer 2 1; promiseTimer; leased 2 1; grant (2, 1)
        inCS, root, following 2: last nil, line [], token, fence (2, 1), bound
    withdraw: nothing
        inCS, root, following 2: last nil, line [], token, fence (2, 1), bound
    release: nothing
        idle, root, following 2: last nil, line [], token, bound
    "
  `);
});

test('a lease ends with its epoch', () => {
  expect(
    play('strict, founder b', 'ask', 'PROMISE 0 b, c 1', 'NEW 1 c', 'PROMISE 0 b, a 1', 'leaseOver 0 1'),
  ).toMatchInlineSnapshot(`
    "
    ask: leaseTimer 0 1; promiseTimer; HEARTBEAT 0 b b 1 false to a; HEARTBEAT 0 b b 1 false to c
        entering, root, following 0: last nil, line [], token, bound
    PROMISE 0 b, c 1: leased 0 1; grant (0, 1)
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    NEW 1 c: disk 1 1 c; lost (0, 1)
        idle, forwarding, following 1: last c, line [], bound
    PROMISE 0 b, a 1: nothing
        idle, forwarding, following 1: last c, line [], bound
    leaseOver 0 1: nothing
        idle, forwarding, following 1: last c, line [], bound
    "
  `);
});

test('without strict mode no site promises', () => {
  expect(play('founder a', 'HEARTBEAT 0 a, a 1', 'heartbeat')).toMatchInlineSnapshot(`
    "
    HEARTBEAT 0 a, a 1: nothing
        idle, forwarding, following 0: last a, line []
    heartbeat: nothing
        idle, forwarding, following 0: last a, line []
    "
  `);
});

test('a site that tries enters under a lease that is in force, and asks for none', () => {
  expect(
    play(
      'strict, founder b',
      'try',
      'ask',
      'PROMISE 0 b, c 1',
      'again',
      'release',
      'try',
      'release',
      'leaseOver 0 1',
      'try',
    ),
  ).toMatchInlineSnapshot(`
    "
    try: nothing
        idle, root, following 0: last nil, line [], token
    ask: leaseTimer 0 1; promiseTimer; HEARTBEAT 0 b b 1 false to a; HEARTBEAT 0 b b 1 false to c
        entering, root, following 0: last nil, line [], token, bound
    PROMISE 0 b, c 1: leased 0 1; grant (0, 1)
        inCS, root, following 0: last nil, line [], token, fence (0, 1), bound
    again: grant (0, 2)
        inCS, root, following 0: last nil, line [], token, fence (0, 2), bound
    release: nothing
        idle, root, following 0: last nil, line [], token, bound
    try: grant (0, 3)
        inCS, root, following 0: last nil, line [], token, fence (0, 3), bound
    release: nothing
        idle, root, following 0: last nil, line [], token, bound
    leaseOver 0 1: leaseEnded 0 1
        idle, root, following 0: last nil, line [], token, bound
    try: nothing
        idle, root, following 0: last nil, line [], token, bound
    "
  `);
});

test('under another configuration a site stands in place of a candidate that it put off, which elects nobody any more', () => {
  const deferred = ['strict, founder a', 'HEARTBEAT 0 a, a 1', 'suspect', 'VOTE_REQUEST 1 c'] as const;
  expect(play(...deferred, 'configured 2 0 a+b', 'promiseOver')).toMatchInlineSnapshot(`
    "
    HEARTBEAT 0 a, a 1: promiseTimer; PROMISE 0 a b 1 to a
        idle, forwarding, following 0: last a, line [], bound
    suspect: nothing
        idle, forwarding, following 0: last a, line [], bound
    VOTE_REQUEST 1 c: nothing
        idle, forwarding, following 0: last a, line [], bound
    configured 2 0 a+b: nothing
        idle, forwarding, following 0: last a, line [], bound
    promiseOver: promiseEnded; disk 1 0 a; VOTE_REQUEST 1 b 0 2 to a
        idle, forwarding, candidate 0, promised 1: last a, line []
    "
  `);
});
