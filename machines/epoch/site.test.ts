import { describe, expect, test } from 'vitest';
import { play } from './testing/play.ts';

/*
 * One test for each rule of protocol.md, section 3. Each line has the event on the left, and the effects and
 * the new state on the right.
 */

test('R0: requests and tokens below the promise are dropped, and so are messages of the epoch in which a closed site crashed', () => {
  expect(
    play('founder a', 'ask', 'NEW 2 c', 'TOKEN 0 a, 3', 'REQUEST 1 a, a', 'NEW 1 a'),
  ).toMatchInlineSnapshot(`
    "
    ask: REQUEST 0 a b to a
        requesting, root, following 0: last nil, line []
    NEW 2 c: disk 2 2 c; REQUEST 2 c b to c
        requesting, root, following 2: last nil, line []
    TOKEN 0 a, 3: nothing
        requesting, root, following 2: last nil, line []
    REQUEST 1 a, a: OVER 1 b false to a
        requesting, root, following 2: last nil, line []
    NEW 1 a: nothing
        requesting, root, following 2: last nil, line []
    "
  `);
  expect(play('crashed in 1 of a', 'REQUEST 1 a, c', 'NEW 1 a', 'NEW 2 c')).toMatchInlineSnapshot(`
    "
    REQUEST 1 a, c: OVER 1 b false to c
        idle, forwarding, closed 1: last a, line []
    NEW 1 a: nothing
        idle, forwarding, closed 1: last a, line []
    NEW 2 c: disk 2 2 c
        idle, forwarding, following 2: last c, line []
    "
  `);
});

test('R1: a message of a newer epoch is processed in it', () => {
  expect(play('founder a', 'REQUEST 1 b, c')).toMatchInlineSnapshot(`
    "
    REQUEST 1 b, c: disk 1 1 b; TOKEN 1 b 0 [] to c
        idle, forwarding, following 1: last c, line []
    "
  `);
});

describe('R2: adopting', () => {
  test('a waiting root enters; another waiter asks the root', () => {
    expect(play('founder a', 'ask', 'NEW 1 b')).toMatchInlineSnapshot(`
      "
      ask: REQUEST 0 a b to a
          requesting, root, following 0: last nil, line []
      NEW 1 b: disk 1 1 b; grant (1, 1)
          inCS, root, following 1: last nil, line [], token, fence (1, 1)
      "
    `);
    expect(play('founder a', 'ask', 'REQUEST 0 a, c', 'NEW 1 c')).toMatchInlineSnapshot(`
      "
      ask: REQUEST 0 a b to a
          requesting, root, following 0: last nil, line []
      REQUEST 0 a, c: nothing
          requesting, root, following 0: last nil, line [c]
      NEW 1 c: disk 1 1 c; REQUEST 1 c b to c
          requesting, root, following 1: last nil, line []
      "
    `);
  });

  test('a site inside loses its critical section, or keeps it under the old fence', () => {
    expect(play('founder b', 'ask', 'NEW 1 c')).toMatchInlineSnapshot(`
      "
      ask: grant (0, 1)
          inCS, root, following 0: last nil, line [], token, fence (0, 1)
      NEW 1 c: disk 1 1 c; lost (0, 1)
          idle, forwarding, following 1: last c, line []
      "
    `);
    expect(play('founder b', 'ask', 'REQUEST 0 b, c', 'NEW 1 b', 'release', 'ask')).toMatchInlineSnapshot(`
      "
      ask: grant (0, 1)
          inCS, root, following 0: last nil, line [], token, fence (0, 1)
      REQUEST 0 b, c: nothing
          inCS, root, following 0: last nil, line [c], token, fence (0, 1)
      NEW 1 b: disk 1 1 b
          inCS, root, following 1: last nil, line [], token, fence (0, 1)
      release: nothing
          idle, root, following 1: last nil, line [], token
      ask: grant (1, 1)
          inCS, root, following 1: last nil, line [], token, fence (1, 1)
      "
    `);
  });

  test('a withdrawn request is over with its epoch', () => {
    expect(play('founder a', 'ask', 'withdraw', 'NEW 1 c')).toMatchInlineSnapshot(`
      "
      ask: REQUEST 0 a b to a
          requesting, root, following 0: last nil, line []
      withdraw: nothing
          withdrawn, root, following 0: last nil, line []
      NEW 1 c: disk 1 1 c
          idle, forwarding, following 1: last c, line []
      "
    `);
  });
});

test('R3: at a frozen site a request only waits, and a release stays local', () => {
  expect(play('founder b', 'VOTE_REQUEST 1 c', 'ask')).toMatchInlineSnapshot(`
    "
    VOTE_REQUEST 1 c: disk 1 0 b; VOTE 1 b 0 to c
        idle, root, frozen 0, promised 1: last nil, line [], token
    ask: nothing
        requesting, root, frozen 0, promised 1: last nil, line [], token
    "
  `);
  expect(play('founder b', 'ask', 'REQUEST 0 b, c', 'VOTE_REQUEST 1 c', 'release')).toMatchInlineSnapshot(`
    "
    ask: grant (0, 1)
        inCS, root, following 0: last nil, line [], token, fence (0, 1)
    REQUEST 0 b, c: nothing
        inCS, root, following 0: last nil, line [c], token, fence (0, 1)
    VOTE_REQUEST 1 c: disk 1 0 b; VOTE 1 b 0 to c
        inCS, root, frozen 0, promised 1: last nil, line [c], token, fence (0, 1)
    release: nothing
        idle, root, frozen 0, promised 1: last nil, line [c], token
    "
  `);
});

test('R4: a site that suspects promises the next epoch, votes for itself and asks the other voters', () => {
  expect(play('founder a', 'suspect', 'suspect')).toMatchInlineSnapshot(`
    "
    suspect: disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
        idle, forwarding, candidate 0, promised 1: last a, line []
    suspect: disk 2 0 a; VOTE_REQUEST 2 b to a; VOTE_REQUEST 2 b to c
        idle, forwarding, candidate 0, promised 2: last a, line []
    "
  `);
});

test('R5: a site promises a higher candidacy, on the disk first, and its vote tells whether it has the token', () => {
  expect(play('founder b', 'VOTE_REQUEST 1 c', 'VOTE_REQUEST 1 a')).toMatchInlineSnapshot(`
    "
    VOTE_REQUEST 1 c: disk 1 0 b; VOTE 1 b 0 to c
        idle, root, frozen 0, promised 1: last nil, line [], token
    VOTE_REQUEST 1 a: nothing
        idle, root, frozen 0, promised 1: last nil, line [], token
    "
  `);
});

describe('R6: a majority', () => {
  test('gives the new epoch to the site with the token', () => {
    expect(play('founder a', 'suspect', 'VOTE 1 a 0')).toMatchInlineSnapshot(`
      "
      suspect: disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
          idle, forwarding, candidate 0, promised 1: last a, line []
      VOTE 1 a 0: elected for 1, root a; disk 1 1 a; NEW 1 a to all
          idle, forwarding, following 1: last a, line []
      "
    `);
  });

  test('gives it to the winner when no voter has the token', () => {
    expect(play('founder a', 'ask', 'suspect', 'VOTE 1 c -')).toMatchInlineSnapshot(`
      "
      ask: REQUEST 0 a b to a
          requesting, root, following 0: last nil, line []
      suspect: disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
          requesting, root, candidate 0, promised 1: last nil, line []
      VOTE 1 c -: elected for 1, root b; disk 1 1 b; NEW 1 b to all; grant (1, 1)
          inCS, root, following 1: last nil, line [], token, fence (1, 1)
      "
    `);
  });

  test('leaves a holder that wins in its critical section', () => {
    expect(play('founder b', 'ask', 'suspect', 'VOTE 1 c -')).toMatchInlineSnapshot(`
      "
      ask: grant (0, 1)
          inCS, root, following 0: last nil, line [], token, fence (0, 1)
      suspect: disk 1 0 b; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
          inCS, root, candidate 0, promised 1: last nil, line [], token, fence (0, 1)
      VOTE 1 c -: elected for 1, root b; disk 1 1 b; NEW 1 b to all
          inCS, root, following 1: last nil, line [], token, fence (0, 1)
      "
    `);
  });

  test('counts the votes of one candidacy only', () => {
    expect(play('founder a', 'suspect', 'suspect', 'VOTE 1 c -')).toMatchInlineSnapshot(`
      "
      suspect: disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
          idle, forwarding, candidate 0, promised 1: last a, line []
      suspect: disk 2 0 a; VOTE_REQUEST 2 b to a; VOTE_REQUEST 2 b to c
          idle, forwarding, candidate 0, promised 2: last a, line []
      VOTE 1 c -: nothing
          idle, forwarding, candidate 0, promised 2: last a, line []
      "
    `);
  });
});

test('R7: a restart with its disk is closed, and may vote above its promise', () => {
  expect(
    play('crashed in 1 of b', 'ask', 'VOTE_REQUEST 1 c', 'VOTE_REQUEST 2 c', 'NEW 2 b'),
  ).toMatchInlineSnapshot(`
    "
    ask: nothing
        requesting, root, closed 1: last nil, line []
    VOTE_REQUEST 1 c: REFUSE 1 b 1 to c
        requesting, root, closed 1: last nil, line []
    VOTE_REQUEST 2 c: disk 2 1 b; VOTE 2 b - to c
        requesting, root, frozen 1, promised 2: last nil, line []
    NEW 2 b: disk 2 2 b; grant (2, 1)
        inCS, root, following 2: last nil, line [], token, fence (2, 1)
    "
  `);
});

test('R4: a waiting site, closed or frozen, stands whenever it suspects, and is served once a majority answers', () => {
  expect(
    play('crashed in 1 of a', 'ask', 'suspect', 'suspect', 'VOTE 2 c -', 'VOTE 3 c -'),
  ).toMatchInlineSnapshot(`
    "
    ask: nothing
        requesting, forwarding, closed 1: last a, line []
    suspect: disk 2 1 a; VOTE_REQUEST 2 b to a; VOTE_REQUEST 2 b to c
        requesting, forwarding, candidate 1, promised 2: last a, line []
    suspect: disk 3 1 a; VOTE_REQUEST 3 b to a; VOTE_REQUEST 3 b to c
        requesting, forwarding, candidate 1, promised 3: last a, line []
    VOTE 2 c -: nothing
        requesting, forwarding, candidate 1, promised 3: last a, line []
    VOTE 3 c -: elected for 3, root b; disk 3 3 b; NEW 3 b to all; grant (3, 1)
        inCS, root, following 3: last nil, line [], token, fence (3, 1)
    "
  `);
  expect(
    play('founder a', 'VOTE_REQUEST 1 c', 'ask', 'suspect', 'VOTE 2 a 0', 'TOKEN 2 a, 1'),
  ).toMatchInlineSnapshot(`
    "
    VOTE_REQUEST 1 c: disk 1 0 a; VOTE 1 b - to c
        idle, forwarding, frozen 0, promised 1: last a, line []
    ask: nothing
        requesting, forwarding, frozen 0, promised 1: last a, line []
    suspect: disk 2 0 a; VOTE_REQUEST 2 b to a; VOTE_REQUEST 2 b to c
        requesting, forwarding, candidate 0, promised 2: last a, line []
    VOTE 2 a 0: elected for 2, root a; disk 2 2 a; NEW 2 a to all; REQUEST 2 a b to a
        requesting, root, following 2: last nil, line []
    TOKEN 2 a, 1: grant (2, 2)
        inCS, root, following 2: last nil, line [], token, fence (2, 2)
    "
  `);
});

test('R8: a restart without its disk neither votes nor adopts', () => {
  expect(play('disk lost', 'VOTE_REQUEST 1 c', 'NEW 1 c', 'suspect', 'ask')).toMatchInlineSnapshot(`
    "
    VOTE_REQUEST 1 c: nothing
        idle, forwarding, barred 0: last a, line []
    NEW 1 c: nothing
        idle, forwarding, barred 0: last a, line []
    suspect: nothing
        idle, forwarding, barred 0: last a, line []
    ask: nothing
        requesting, forwarding, barred 0: last a, line []
    "
  `);
});

describe('R10: a stale candidate', () => {
  test('is refused with the promise', () => {
    expect(play('founder a', 'VOTE_REQUEST 2 c', 'VOTE_REQUEST 1 a')).toMatchInlineSnapshot(`
      "
      VOTE_REQUEST 2 c: disk 2 0 a; VOTE 2 b - to c
          idle, forwarding, frozen 0, promised 2: last a, line []
      VOTE_REQUEST 1 a: REFUSE 0 a 2 to a
          idle, forwarding, frozen 0, promised 2: last a, line []
      "
    `);
  });

  test('gives up, and stands above the promise next', () => {
    expect(play('founder a', 'suspect', 'REFUSE 0 a, 4', 'suspect')).toMatchInlineSnapshot(`
      "
      suspect: disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
          idle, forwarding, candidate 0, promised 1: last a, line []
      REFUSE 0 a, 4: disk 4 0 a
          idle, forwarding, frozen 0, promised 4: last a, line []
      suspect: disk 5 0 a; VOTE_REQUEST 5 b to a; VOTE_REQUEST 5 b to c
          idle, forwarding, candidate 0, promised 5: last a, line []
      "
    `);
  });

  test('for the very epoch that it missed is told so', () => {
    expect(play('founder a', 'NEW 1 c', 'VOTE_REQUEST 1 a')).toMatchInlineSnapshot(`
      "
      NEW 1 c: disk 1 1 c
          idle, forwarding, following 1: last c, line []
      VOTE_REQUEST 1 a: REFUSE 1 c 1 to a
          idle, forwarding, following 1: last c, line []
      "
    `);
  });

  test('learns the epoch that it missed', () => {
    expect(play('founder a', 'suspect', 'REFUSE 3 c, 3')).toMatchInlineSnapshot(`
      "
      suspect: disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
          idle, forwarding, candidate 0, promised 1: last a, line []
      REFUSE 3 c, 3: disk 3 3 c
          idle, forwarding, following 3: last c, line []
      "
    `);
  });
});

test('the fence counts entries along the token', () => {
  expect(
    play('founder a', 'ask', 'TOKEN 0 a, 4', 'release', 'ask', 'REQUEST 0 a, c', 'release'),
  ).toMatchInlineSnapshot(`
    "
    ask: REQUEST 0 a b to a
        requesting, root, following 0: last nil, line []
    TOKEN 0 a, 4: grant (0, 5)
        inCS, root, following 0: last nil, line [], token, fence (0, 5)
    release: nothing
        idle, root, following 0: last nil, line [], token
    ask: grant (0, 6)
        inCS, root, following 0: last nil, line [], token, fence (0, 6)
    REQUEST 0 a, c: nothing
        inCS, root, following 0: last nil, line [c], token, fence (0, 6)
    release: TOKEN 0 a 6 [] to c
        idle, forwarding, following 0: last c, line []
    "
  `);
});

test('a site that does not vote stands without a vote of its own', () => {
  expect(play('no voter', 'suspect', 'VOTE 1 a -', 'VOTE 1 c -')).toMatchInlineSnapshot(`
    "
    suspect: disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c; VOTE_REQUEST 1 b to d
        idle, forwarding, candidate 0, promised 1: last a, line []
    VOTE 1 a -: nothing
        idle, forwarding, candidate 0, promised 1: last a, line []
    VOTE 1 c -: elected for 1, root b; disk 1 1 b; NEW 1 b to all
        idle, root, following 1: last nil, line [], token
    "
  `);
});

test('a token for which this site sent no request is unexpected', () => {
  expect(play('founder a', 'TOKEN 0 a, 1')).toMatchInlineSnapshot(`
    "
    TOKEN 0 a, 1: unexpected TOKEN
        idle, forwarding, following 0: last a, line []
    "
  `);
});

describe('a client that goes on, or tries', () => {
  test('again: the next critical section begins under the next fence, the token stays', () => {
    expect(play('founder b', 'ask', 'REQUEST 0 b, c', 'again', 'again', 'release')).toMatchInlineSnapshot(`
      "
      ask: grant (0, 1)
          inCS, root, following 0: last nil, line [], token, fence (0, 1)
      REQUEST 0 b, c: nothing
          inCS, root, following 0: last nil, line [c], token, fence (0, 1)
      again: grant (0, 2)
          inCS, root, following 0: last nil, line [c], token, fence (0, 2)
      again: grant (0, 3)
          inCS, root, following 0: last nil, line [c], token, fence (0, 3)
      release: TOKEN 0 b 3 [] to c
          idle, forwarding, following 0: last c, line []
      "
    `);
  });

  test('again: does nothing while frozen (R3), and keeps the fence of a kept section', () => {
    expect(play('founder b', 'ask', 'VOTE_REQUEST 1 c', 'again', 'NEW 1 b', 'again')).toMatchInlineSnapshot(`
      "
      ask: grant (0, 1)
          inCS, root, following 0: last nil, line [], token, fence (0, 1)
      VOTE_REQUEST 1 c: disk 1 0 b; VOTE 1 b 0 to c
          inCS, root, frozen 0, promised 1: last nil, line [], token, fence (0, 1)
      again: nothing
          inCS, root, frozen 0, promised 1: last nil, line [], token, fence (0, 1)
      NEW 1 b: disk 1 1 b
          inCS, root, following 1: last nil, line [], token, fence (0, 1)
      again: grant (1, 1)
          inCS, root, following 1: last nil, line [], token, fence (1, 1)
      "
    `);
  });

  test('try: enters only where no other site need be asked', () => {
    expect(play('founder b', 'try', 'release', 'VOTE_REQUEST 1 c', 'try')).toMatchInlineSnapshot(`
      "
      try: grant (0, 1)
          inCS, root, following 0: last nil, line [], token, fence (0, 1)
      release: nothing
          idle, root, following 0: last nil, line [], token
      VOTE_REQUEST 1 c: disk 1 0 b; VOTE 1 b 0 to c
          idle, root, frozen 0, promised 1: last nil, line [], token
      try: nothing
          idle, root, frozen 0, promised 1: last nil, line [], token
      "
    `);
    expect(play('founder a', 'try', 'ask', 'withdraw', 'try')).toMatchInlineSnapshot(`
      "
      try: nothing
          idle, forwarding, following 0: last a, line []
      ask: REQUEST 0 a b to a
          requesting, root, following 0: last nil, line []
      withdraw: nothing
          withdrawn, root, following 0: last nil, line []
      try: nothing
          withdrawn, root, following 0: last nil, line []
      "
    `);
  });
});

describe('M3: another configuration', () => {
  test('ends a candidacy that counts in the one before; its votes do not count in a later one', () => {
    expect(
      play('founder a', 'suspect', 'configured 2 0 a+b', 'VOTE 1 a -', 'suspect'),
    ).toMatchInlineSnapshot(`
      "
      suspect: disk 1 0 a; VOTE_REQUEST 1 b to a; VOTE_REQUEST 1 b to c
          idle, forwarding, candidate 0, promised 1: last a, line []
      configured 2 0 a+b: nothing
          idle, forwarding, frozen 0, promised 1: last a, line []
      VOTE 1 a -: nothing
          idle, forwarding, frozen 0, promised 1: last a, line []
      suspect: disk 2 0 a; VOTE_REQUEST 2 b 0 2 to a
          idle, forwarding, candidate 0, promised 2: last a, line []
      "
    `);
  });

  test('decides in which configuration votes are given, for epochs above its base', () => {
    expect(
      play(
        'founder a',
        'configured 2 3 a+b+c',
        'VOTE_REQUEST 4 a 1',
        'VOTE_REQUEST 3 a 2',
        'VOTE_REQUEST 4 a 2',
      ),
    ).toMatchInlineSnapshot(`
      "
      configured 2 3 a+b+c: nothing
          idle, forwarding, following 0: last a, line []
      VOTE_REQUEST 4 a 1: nothing
          idle, forwarding, following 0: last a, line []
      VOTE_REQUEST 3 a 2: nothing
          idle, forwarding, following 0: last a, line []
      VOTE_REQUEST 4 a 2: disk 4 0 a; VOTE 4 b - to a
          idle, forwarding, frozen 0, promised 4: last a, line []
      "
    `);
    expect(play('founder a', 'configured 2 3 a+b+c', 'suspect')).toMatchInlineSnapshot(`
      "
      configured 2 3 a+b+c: nothing
          idle, forwarding, following 0: last a, line []
      suspect: disk 4 0 a; VOTE_REQUEST 4 b 0 2 to a; VOTE_REQUEST 4 b 0 2 to c
          idle, forwarding, candidate 0, promised 4: last a, line []
      "
    `);
  });

  test('makes a joining site begin as after a crash: it took no part in earlier epochs (R7)', () => {
    expect(
      play('founder b', 'configured 2 3 a+b joins', 'try', 'ask', 'REQUEST 3 b, c', 'NEW 5 a'),
    ).toMatchInlineSnapshot(`
      "
      configured 2 3 a+b joins: disk 4 0 b
          idle, root, closed 0, promised 4: last nil, line []
      try: nothing
          idle, root, closed 0, promised 4: last nil, line []
      ask: nothing
          requesting, root, closed 0, promised 4: last nil, line []
      REQUEST 3 b, c: OVER 3 b false to c
          requesting, root, closed 0, promised 4: last nil, line []
      NEW 5 a: disk 5 5 a; REQUEST 5 a b to a
          requesting, root, following 5: last nil, line []
      "
    `);
    expect(play('founder b', 'ask', 'configured 2 3 a+b joins')).toMatchInlineSnapshot(`
      "
      ask: grant (0, 1)
          inCS, root, following 0: last nil, line [], token, fence (0, 1)
      configured 2 3 a+b joins: lost (0, 1); disk 4 0 b
          idle, root, closed 0, promised 4: last nil, line []
      "
    `);
  });

  test('ends an open round of heartbeats, but no lease', () => {
    expect(
      play(
        'strict, founder b',
        'ask',
        'configured 2 0 a+b+c+d',
        'PROMISE 0 b, a 1',
        'PROMISE 0 b, c 1',
        'heartbeat',
      ),
    ).toMatchInlineSnapshot(`
      "
      ask: leaseTimer 0 1; promiseTimer; HEARTBEAT 0 b b 1 false to a; HEARTBEAT 0 b b 1 false to c
          entering, root, following 0: last nil, line [], token, bound
      configured 2 0 a+b+c+d: nothing
          entering, root, following 0: last nil, line [], token, bound
      PROMISE 0 b, a 1: nothing
          entering, root, following 0: last nil, line [], token, bound
      PROMISE 0 b, c 1: nothing
          entering, root, following 0: last nil, line [], token, bound
      heartbeat: leaseTimer 0 2; promiseTimer; HEARTBEAT 0 b b 2 false 0 2 to a; HEARTBEAT 0 b b 2 false 0 2 to c; HEARTBEAT 0 b b 2 false 0 2 to d
          entering, root, following 0: last nil, line [], token, bound
      "
    `);
  });
});
