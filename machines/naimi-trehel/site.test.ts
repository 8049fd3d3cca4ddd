import { describe, expect, test } from 'vitest';
import { start, take } from '../../statechart/xstate.ts';
import type { NamedAction } from '../actor.ts';
import { type SiteEvent, type SiteSnapshot, siteMachine } from './site.ts';

/*
 * The paper is a test file: one test for each rule of protocol.md, section 1, then the client-side rules. A
 * script lists the events of site b of a, b, c on the left, and the effects and the state of b on the right.
 * Site a is the root unless a script states otherwise.
 */

describe('client asks', () => {
  test('token here and idle: enter', () => {
    expect(play('root b', 'ask')).toMatchInlineSnapshot(`
      "
      ask       | grant                          | inCS, root: last nil, next nil, token
      "
    `);
  });

  test('otherwise send REQUEST(i) to last, last := nil, wait', () => {
    expect(play('root a', 'ask')).toMatchInlineSnapshot(`
      "
      ask       | REQUEST b to a                 | requesting, root: last nil, next nil
      "
    `);
  });
});

describe('REQUEST(o) arrives, last = nil', () => {
  test('token here and idle: send TOKEN to o, then last := o', () => {
    expect(play('root b', 'REQUEST c')).toMatchInlineSnapshot(`
      "
      REQUEST c | TOKEN to c                     | idle, forwarding: last c, next nil
      "
    `);
  });

  test('waiting: next := o, then last := o', () => {
    expect(play('root a', 'ask', 'REQUEST c')).toMatchInlineSnapshot(`
      "
      ask       | REQUEST b to a                 | requesting, root: last nil, next nil
      REQUEST c |                                | requesting, forwarding: last c, next c
      "
    `);
  });

  test('in the critical section: next := o, then last := o', () => {
    expect(play('root b', 'ask', 'REQUEST c')).toMatchInlineSnapshot(`
      "
      ask       | grant                          | inCS, root: last nil, next nil, token
      REQUEST c |                                | inCS, forwarding: last c, next c, token
      "
    `);
  });
});

describe('REQUEST(o) arrives, last ≠ nil', () => {
  test('forward REQUEST(o) to last, then last := o', () => {
    expect(play('root a', 'REQUEST c', 'REQUEST a')).toMatchInlineSnapshot(`
      "
      REQUEST c | REQUEST c to a                 | idle, forwarding: last c, next nil
      REQUEST a | REQUEST a to c                 | idle, forwarding: last a, next nil
      "
    `);
  });

  test('a waiting site forwards it too, and next stays', () => {
    expect(play('root a', 'ask', 'REQUEST c', 'REQUEST a')).toMatchInlineSnapshot(`
      "
      ask       | REQUEST b to a                 | requesting, root: last nil, next nil
      REQUEST c |                                | requesting, forwarding: last c, next c
      REQUEST a | REQUEST a to c                 | requesting, forwarding: last a, next c
      "
    `);
  });
});

test('TOKEN arrives: enter the critical section', () => {
  expect(play('root a', 'ask', 'TOKEN')).toMatchInlineSnapshot(`
    "
    ask       | REQUEST b to a                 | requesting, root: last nil, next nil
    TOKEN     | grant                          | inCS, root: last nil, next nil, token
    "
  `);
});

describe('client releases', () => {
  test('next ≠ nil: send TOKEN to next, next := nil', () => {
    expect(play('root b', 'ask', 'REQUEST c', 'release')).toMatchInlineSnapshot(`
      "
      ask       | grant                          | inCS, root: last nil, next nil, token
      REQUEST c |                                | inCS, forwarding: last c, next c, token
      release   | TOKEN to c                     | idle, forwarding: last c, next nil
      "
    `);
  });

  test('otherwise keep the token and become idle', () => {
    expect(play('root b', 'ask', 'release', 'ask')).toMatchInlineSnapshot(`
      "
      ask       | grant                          | inCS, root: last nil, next nil, token
      release   |                                | idle, root: last nil, next nil, token
      ask       | grant                          | inCS, root: last nil, next nil, token
      "
    `);
  });
});

describe('client withdraws: the request that was sent cannot be unlinked', () => {
  test('the token that arrives is passed straight on', () => {
    expect(play('root a', 'ask', 'withdraw', 'REQUEST c', 'TOKEN')).toMatchInlineSnapshot(`
      "
      ask       | REQUEST b to a                 | requesting, root: last nil, next nil
      withdraw  |                                | withdrawn, root: last nil, next nil
      REQUEST c |                                | withdrawn, forwarding: last c, next c
      TOKEN     | TOKEN to c                     | idle, forwarding: last c, next nil
      "
    `);
  });

  test('the token is kept when next is nil', () => {
    expect(play('root a', 'ask', 'withdraw', 'TOKEN')).toMatchInlineSnapshot(`
      "
      ask       | REQUEST b to a                 | requesting, root: last nil, next nil
      withdraw  |                                | withdrawn, root: last nil, next nil
      TOKEN     |                                | idle, root: last nil, next nil, token
      "
    `);
  });

  test('the token serves the next local caller without a second request', () => {
    expect(play('root a', 'ask', 'withdraw', 'ask', 'TOKEN')).toMatchInlineSnapshot(`
      "
      ask       | REQUEST b to a                 | requesting, root: last nil, next nil
      withdraw  |                                | withdrawn, root: last nil, next nil
      ask       |                                | requesting, root: last nil, next nil
      TOKEN     | grant                          | inCS, root: last nil, next nil, token
      "
    `);
  });
});

describe('client leaves', () => {
  test('the leaver tells all sites, and hands the token on after the last GOODBYE', () => {
    expect(
      play('root b', 'ask', 'leave', 'REQUEST c', 'GOODBYE', 'REQUEST a', 'GOODBYE'),
    ).toMatchInlineSnapshot(`
      "
      ask       | grant                          | inCS, root: last nil, next nil, token
      leave     | LEAVE b to all                 | leaving, root: last nil, next nil, token
      REQUEST c |                                | leaving, forwarding: last c, next c, token
      GOODBYE   |                                | leaving, forwarding: last c, next c, token
      REQUEST a | REQUEST a to c                 | leaving, forwarding: last a, next c, token
      GOODBYE   | TOKEN to c, left               | left, forwarding: last a, next nil
      "
    `);
  });

  test('the last site leaves with the token', () => {
    expect(play('root b', 'LEAVE a', 'LEAVE c', 'ask', 'leave')).toMatchInlineSnapshot(`
      "
      LEAVE a   | GOODBYE to a                   | idle, root: last nil, next nil, token
      LEAVE c   | GOODBYE to c                   | idle, root: last nil, next nil, token
      ask       | grant                          | inCS, root: last nil, next nil, token
      leave     | left                           | left, root: last nil, next nil, token
      "
    `);
  });

  test('an idle site whose last names the leaver sends a request without a client, then GOODBYE', () => {
    expect(play('root a', 'LEAVE a', 'TOKEN')).toMatchInlineSnapshot(`
      "
      LEAVE a   | REQUEST b to a, GOODBYE to a   | withdrawn, root: last nil, next nil
      TOKEN     |                                | idle, root: last nil, next nil, token
      "
    `);
  });

  test('any other site sends GOODBYE at once', () => {
    expect(play('root a', 'LEAVE c', 'ask', 'LEAVE a')).toMatchInlineSnapshot(`
      "
      LEAVE c   | GOODBYE to c                   | idle, forwarding: last a, next nil
      ask       | REQUEST b to a                 | requesting, root: last nil, next nil
      LEAVE a   | GOODBYE to a                   | requesting, root: last nil, next nil
      "
    `);
  });
});

test('a client goes on, or tries', () => {
  expect(
    play('root b', 'try', 'REQUEST a', 'again', 'release', 'try', 'ask', 'withdraw', 'try'),
  ).toMatchInlineSnapshot(`
    "
    try       | grant                          | inCS, root: last nil, next nil, token
    REQUEST a |                                | inCS, forwarding: last a, next a, token
    again     | grant                          | inCS, forwarding: last a, next a, token
    release   | TOKEN to a                     | idle, forwarding: last a, next nil
    try       |                                | idle, forwarding: last a, next nil
    ask       | REQUEST b to a                 | requesting, root: last nil, next nil
    withdraw  |                                | withdrawn, root: last nil, next nil
    try       |                                | withdrawn, root: last nil, next nil
    "
  `);
});

test('an event without a rule is unexpected and changes nothing', () => {
  expect(play('root a', 'TOKEN', 'release', 'GOODBYE', 'withdraw', 'leave')).toMatchInlineSnapshot(`
    "
    TOKEN     | unexpected TOKEN               | idle, forwarding: last a, next nil
    release   | unexpected release             | idle, forwarding: last a, next nil
    GOODBYE   | unexpected GOODBYE             | idle, forwarding: last a, next nil
    withdraw  | unexpected withdraw            | idle, forwarding: last a, next nil
    leave     | unexpected leave               | idle, forwarding: last a, next nil
    "
  `);
});

test('the effect grant comes exactly when the critical section is entered', () => {
  let grants = 0;
  for (const { before, after, effects } of everyStep()) {
    const enters = after.matches({ client: 'inCS' }) && !before.matches({ client: 'inCS' });
    expect(effects.filter(({ type }) => type === 'grant')).toHaveLength(enters ? 1 : 0);
    if (enters) grants++;
  }
  expect(grants).toBe(6);
});

/** Returns a line for each event: the effects of b, and its state afterwards. */
function play(root: string, ...script: readonly string[]): string {
  const self = 'b';
  let { snapshot } = start(siteMachine, { self, root: root.slice('root '.length), peers: 2 });
  const lines = script.map((text) => {
    const step = take(siteMachine, snapshot, eventOf(text));
    snapshot = step.snapshot;
    return `${text.padEnd(9)} | ${step.effects.map(describeEffect).join(', ').padEnd(30)} | ${describeSite(snapshot)}`;
  });
  return `\n${lines.join('\n')}\n`;
}

function eventOf(text: string): SiteEvent {
  const [type, site] = text.split(' ');
  const event =
    type === 'REQUEST' ? { type, origin: site } : type === 'LEAVE' ? { type, leaver: site } : { type };
  return event as SiteEvent;
}

function describeEffect({ type, target, message, event }: NamedAction): string {
  if (type === 'unexpected') return `unexpected ${(event as SiteEvent).type}`;
  if (message === undefined) return type;
  const { type: kind, ...rest } = message as SiteEvent;
  return [kind, ...Object.values(rest), type === 'broadcast' ? 'to all' : `to ${target}`].join(' ');
}

function describeSite({ value, context: { last, next, token } }: SiteSnapshot): string {
  const { client, routing } = value;
  return `${client}, ${routing}: last ${last ?? 'nil'}, next ${next ?? 'nil'}${token ? ', token' : ''}`;
}

/** All steps of b that some sequence of events leads to, whether correct peers send it or not. */
function* everyStep() {
  const events = ['ask', 'release', 'withdraw', 'leave', 'TOKEN', 'REQUEST a', 'REQUEST c'].map(eventOf);
  const queue = ['a', 'b'].map((root) => start(siteMachine, { self: 'b', root, peers: 2 }).snapshot);
  const seen = new Set<string>();
  for (const before of queue) {
    const key = JSON.stringify([before.value, before.context]);
    if (seen.has(key)) continue;
    seen.add(key);
    for (const event of events) {
      const { snapshot: after, effects } = take(siteMachine, before, event);
      yield { before, after, effects };
      queue.push(after);
    }
  }
}
