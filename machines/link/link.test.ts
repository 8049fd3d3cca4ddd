import { describe, expect, test } from 'vitest';
import { start, take } from '../../statechart/xstate.ts';
import type { NamedAction } from '../actor.ts';
import type { Frame } from './frames.ts';
import { type LinkEvent, type LinkSnapshot, linkMachine } from './link.ts';

/*
 * R9 of protocol.md, clause by clause. A script is the sequence of events at one end, a1: `post x`,
 * `connected 1`, or a frame with its fields and its connection, as in `DATA 1 0 x @1` (seq, ack, payload).
 * The right-hand side shows the end's effects and its state: the known peer, the number of its acknowledged
 * payloads, the waiting payloads, and the number of delivered payloads.
 */

const dialled = ['connected 1', 'WELCOME b1 0 @1'] as const;

describe('incarnations:', () => {
  test('the dialling site sends HELLO, and is up when the other has sent WELCOME, which it answers', () => {
    expect(play(...dialled)).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      "
    `);
  });

  test('the dialled site is up when its WELCOME is answered: a HELLO may be the last frame of a dead incarnation', () => {
    expect(play('HELLO b1 @1', 'WELCOME b1 0 @1')).toMatchInlineSnapshot(`
      "
      HELLO b1 @1     | WELCOME a1 0 @1                                | answering: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1                                         | up settled: b1, 0 acked, waits [], 0 delivered
      "
    `);
  });

  test('a new incarnation of the peer: unacknowledged payloads are reported lost, and numbers start again', () => {
    expect(
      play(
        ...dialled,
        'post x',
        'DATA 1 0 u @1',
        'disconnected 1',
        'post y',
        'connected 2',
        'WELCOME b2 0 @2',
        'post z',
      ),
    ).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
      DATA 1 0 u @1   | deliver u, ackOwed                             | up owing: b1, 0 acked, waits [x], 1 delivered
      disconnected 1  |                                                | down: b1, 0 acked, waits [x], 1 delivered
      post y          |                                                | down: b1, 0 acked, waits [x y], 1 delivered
      connected 2     | HELLO a1 @2                                    | greeting: b1, 0 acked, waits [x y], 1 delivered
      WELCOME b2 0 @2 | peerRestarted b2 -x -y, met b2, WELCOME a1 0 @2 | up settled: b2, 0 acked, waits [], 0 delivered
      post z          | DATA 1 0 z @2                                  | up settled: b2, 0 acked, waits [z], 0 delivered
      "
    `);
  });

  test('a HELLO of another incarnation changes nothing yet', () => {
    expect(
      play(...dialled, 'post x', 'HELLO b0 @2', 'disconnected 2', 'HELLO b1 @3', 'WELCOME b1 0 @3'),
    ).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
      HELLO b0 @2     | WELCOME a1 0 @2                                | answering: b1, 0 acked, waits [x], 0 delivered
      disconnected 2  |                                                | down: b1, 0 acked, waits [x], 0 delivered
      HELLO b1 @3     | WELCOME a1 0 @3                                | answering: b1, 0 acked, waits [x], 0 delivered
      WELCOME b1 0 @3 | met b1, DATA 1 0 x @3                          | up settled: b1, 0 acked, waits [x], 0 delivered
      "
    `);
  });

  test('a payload posted before any peer is met is for the first peer', () => {
    expect(play('post x', ...dialled)).toMatchInlineSnapshot(`
      "
      post x          |                                                | down: nil, 0 acked, waits [x], 0 delivered
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [x], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1, DATA 1 0 x @1         | up settled: b1, 0 acked, waits [x], 0 delivered
      "
    `);
  });
});

describe('sequence numbers:', () => {
  test('posted payloads are numbered from 1', () => {
    expect(play(...dialled, 'post x', 'post y')).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
      post y          | DATA 2 0 y @1                                  | up settled: b1, 0 acked, waits [x y], 0 delivered
      "
    `);
  });

  test('payloads in order are delivered', () => {
    expect(play(...dialled, 'DATA 1 0 u @1', 'DATA 2 0 v @1')).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      DATA 1 0 u @1   | deliver u, ackOwed                             | up owing: b1, 0 acked, waits [], 1 delivered
      DATA 2 0 v @1   | deliver v                                      | up owing: b1, 0 acked, waits [], 2 delivered
      "
    `);
  });

  test('a repeated number, or one too far ahead, is unexpected and not delivered', () => {
    expect(play(...dialled, 'DATA 1 0 u @1', 'DATA 1 0 u @1', 'DATA 3 0 w @1')).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      DATA 1 0 u @1   | deliver u, ackOwed                             | up owing: b1, 0 acked, waits [], 1 delivered
      DATA 1 0 u @1   | unexpected DATA                                | up owing: b1, 0 acked, waits [], 1 delivered
      DATA 3 0 w @1   | unexpected DATA                                | up owing: b1, 0 acked, waits [], 1 delivered
      "
    `);
  });
});

describe('acknowledgements:', () => {
  test('one acknowledgement covers all payloads before it', () => {
    expect(play(...dialled, 'post x', 'post y', 'ACK 2 @1')).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
      post y          | DATA 2 0 y @1                                  | up settled: b1, 0 acked, waits [x y], 0 delivered
      ACK 2 @1        |                                                | up settled: b1, 2 acked, waits [], 0 delivered
      "
    `);
  });

  test('an acknowledgement is carried by the next payload, without a frame of its own', () => {
    expect(play(...dialled, 'DATA 1 0 u @1', 'DATA 2 0 v @1', 'post x', 'flushAck')).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      DATA 1 0 u @1   | deliver u, ackOwed                             | up owing: b1, 0 acked, waits [], 1 delivered
      DATA 2 0 v @1   | deliver v                                      | up owing: b1, 0 acked, waits [], 2 delivered
      post x          | DATA 1 2 x @1                                  | up settled: b1, 0 acked, waits [x], 2 delivered
      flushAck        |                                                | up settled: b1, 0 acked, waits [x], 2 delivered
      "
    `);
  });

  test('an acknowledgement is sent alone when the host asks for it, once', () => {
    expect(play(...dialled, 'DATA 1 0 u @1', 'DATA 2 0 v @1', 'flushAck', 'flushAck')).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      DATA 1 0 u @1   | deliver u, ackOwed                             | up owing: b1, 0 acked, waits [], 1 delivered
      DATA 2 0 v @1   | deliver v                                      | up owing: b1, 0 acked, waits [], 2 delivered
      flushAck        | ACK 2 @1                                       | up settled: b1, 0 acked, waits [], 2 delivered
      flushAck        |                                                | up settled: b1, 0 acked, waits [], 2 delivered
      "
    `);
  });

  test('an acknowledgement of unsent payloads, or of fewer than before, is unexpected', () => {
    expect(play(...dialled, 'post x', 'ACK 2 @1', 'ACK 1 @1', 'ACK 0 @1')).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
      ACK 2 @1        | unexpected ACK                                 | up settled: b1, 0 acked, waits [x], 0 delivered
      ACK 1 @1        |                                                | up settled: b1, 1 acked, waits [], 0 delivered
      ACK 0 @1        | unexpected ACK                                 | up settled: b1, 1 acked, waits [], 0 delivered
      "
    `);
  });
});

describe('a resend after a reconnect', () => {
  test('starts after the last payload that the peer has delivered', () => {
    expect(
      play(...dialled, 'post x', 'post y', 'disconnected 1', 'connected 2', 'WELCOME b1 1 @2'),
    ).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
      post y          | DATA 2 0 y @1                                  | up settled: b1, 0 acked, waits [x y], 0 delivered
      disconnected 1  |                                                | down: b1, 0 acked, waits [x y], 0 delivered
      connected 2     | HELLO a1 @2                                    | greeting: b1, 0 acked, waits [x y], 0 delivered
      WELCOME b1 1 @2 | met b1, WELCOME a1 0 @2, DATA 2 0 y @2         | up settled: b1, 1 acked, waits [y], 0 delivered
      "
    `);
  });

  test('acknowledges the payloads delivered here, so that they are not sent again', () => {
    expect(
      play(...dialled, 'DATA 1 0 u @1', 'disconnected 1', 'HELLO b1 @2', 'WELCOME b1 0 @2', 'DATA 2 0 v @2'),
    ).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      DATA 1 0 u @1   | deliver u, ackOwed                             | up owing: b1, 0 acked, waits [], 1 delivered
      disconnected 1  |                                                | down: b1, 0 acked, waits [], 1 delivered
      HELLO b1 @2     | WELCOME a1 1 @2                                | answering: b1, 0 acked, waits [], 1 delivered
      WELCOME b1 0 @2 | met b1                                         | up settled: b1, 0 acked, waits [], 1 delivered
      DATA 2 0 v @2   | deliver v, ackOwed                             | up owing: b1, 0 acked, waits [], 2 delivered
      "
    `);
  });

  test('goes over the later connection, even if the earlier one has not been seen to break', () => {
    expect(
      play(...dialled, 'post x', 'HELLO b1 @2', 'disconnected 1', 'WELCOME b1 1 @2'),
    ).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
      HELLO b1 @2     | WELCOME a1 0 @2                                | answering: b1, 0 acked, waits [x], 0 delivered
      disconnected 1  |                                                | answering: b1, 0 acked, waits [x], 0 delivered
      WELCOME b1 1 @2 | met b1                                         | up settled: b1, 1 acked, waits [], 0 delivered
      "
    `);
  });

  test('ignores frames that are still read from the old connection', () => {
    expect(
      play(...dialled, 'post x', 'connected 2', 'DATA 1 1 u @1', 'ACK 1 @1', 'WELCOME b1 0 @1'),
    ).toMatchInlineSnapshot(`
      "
      connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
      WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
      post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
      connected 2     | HELLO a1 @2                                    | greeting: b1, 0 acked, waits [x], 0 delivered
      DATA 1 1 u @1   |                                                | greeting: b1, 0 acked, waits [x], 0 delivered
      ACK 1 @1        |                                                | greeting: b1, 0 acked, waits [x], 0 delivered
      WELCOME b1 0 @1 |                                                | greeting: b1, 0 acked, waits [x], 0 delivered
      "
    `);
  });
});

test('a finishing site is drained when nothing waits any more, at once or later, once', () => {
  expect(play('finish', 'post x', ...dialled)).toMatchInlineSnapshot(`
    "
    finish          | drained                                        | down: nil, 0 acked, waits [], 0 delivered
    post x          |                                                | down: nil, 0 acked, waits [x], 0 delivered
    connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [x], 0 delivered
    WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1, DATA 1 0 x @1         | up settled: b1, 0 acked, waits [x], 0 delivered
    "
  `);
  expect(play(...dialled, 'post x', 'post y', 'finish', 'ACK 1 @1', 'ACK 2 @1')).toMatchInlineSnapshot(`
    "
    connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
    WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
    post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
    post y          | DATA 2 0 y @1                                  | up settled: b1, 0 acked, waits [x y], 0 delivered
    finish          |                                                | up settled: b1, 0 acked, waits [x y], 0 delivered
    ACK 1 @1        |                                                | up settled: b1, 1 acked, waits [y], 0 delivered
    ACK 2 @1        | drained                                        | up settled: b1, 2 acked, waits [], 0 delivered
    "
  `);
  expect(
    play(...dialled, 'post x', 'finish', 'disconnected 1', 'connected 2', 'WELCOME b2 0 @2'),
  ).toMatchInlineSnapshot(`
    "
    connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [], 0 delivered
    WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1                        | up settled: b1, 0 acked, waits [], 0 delivered
    post x          | DATA 1 0 x @1                                  | up settled: b1, 0 acked, waits [x], 0 delivered
    finish          |                                                | up settled: b1, 0 acked, waits [x], 0 delivered
    disconnected 1  |                                                | down: b1, 0 acked, waits [x], 0 delivered
    connected 2     | HELLO a1 @2                                    | greeting: b1, 0 acked, waits [x], 0 delivered
    WELCOME b2 0 @2 | peerRestarted b2 -x, met b2, WELCOME a1 0 @2, drained | up settled: b2, 0 acked, waits [], 0 delivered
    "
  `);
});

test('the outbox is bounded, connected or not: a payload above the bound is refused', () => {
  expect(
    play('post x', 'post y', 'post z', ...dialled, 'post z', 'ACK 1 @1', 'post z'),
  ).toMatchInlineSnapshot(`
    "
    post x          |                                                | down: nil, 0 acked, waits [x], 0 delivered
    post y          |                                                | down: nil, 0 acked, waits [x y], 0 delivered
    post z          | overflow z                                     | down: nil, 0 acked, waits [x y], 0 delivered
    connected 1     | HELLO a1 @1                                    | greeting: nil, 0 acked, waits [x y], 0 delivered
    WELCOME b1 0 @1 | met b1, WELCOME a1 0 @1, DATA 1 0 x @1, DATA 2 0 y @1 | up settled: b1, 0 acked, waits [x y], 0 delivered
    post z          | overflow z                                     | up settled: b1, 0 acked, waits [x y], 0 delivered
    ACK 1 @1        |                                                | up settled: b1, 1 acked, waits [y], 0 delivered
    post z          | DATA 3 0 z @1                                  | up settled: b1, 1 acked, waits [y z], 0 delivered
    "
  `);
});

test('while payloads go both ways in turn, no frame is only an acknowledgement', () => {
  let [left, right] = greeted();
  const frames: Frame[] = [];
  for (let turn = 0; turn < 10; turn++) {
    const posted = take(linkMachine, left, { type: 'post', payload: turn });
    const sent = framesOf(posted.effects);
    frames.push(...sent);
    left = posted.snapshot;
    for (const frame of sent) right = take(linkMachine, right, { ...frame, connection: 1 }).snapshot;
    [left, right] = [right, left];
  }
  expect(frames.map(({ type }) => type)).toEqual(new Array(10).fill('DATA'));
  expect([left, right].map(({ context }) => context.outbox.length).sort()).toEqual([0, 1]);
});

/** Two ends that are up on connection 1. */
function greeted(): [LinkSnapshot, LinkSnapshot] {
  const ends = ['a1', 'b1'].map((incarnation) => start(linkMachine, { incarnation, limit: 2 }).snapshot);
  let toPeer = framesAfter(ends, 0, [{ type: 'connected', connection: 1 }]);
  for (let peer = 1; toPeer.length > 0; peer = 1 - peer) {
    toPeer = framesAfter(
      ends,
      peer,
      toPeer.map((frame) => ({ ...frame, connection: 1 })),
    );
  }
  expect(ends.map((end) => end.matches('up'))).toEqual([true, true]);
  return [ends[0]!, ends[1]!];
}

function framesAfter(ends: LinkSnapshot[], index: number, events: readonly LinkEvent[]): readonly Frame[] {
  return events.flatMap((event) => {
    const { snapshot, effects } = take(linkMachine, ends[index]!, event);
    ends[index] = snapshot;
    return framesOf(effects);
  });
}

function framesOf(effects: readonly NamedAction[]): readonly Frame[] {
  return effects.flatMap(({ frames }) => (frames as readonly Frame[] | undefined) ?? []);
}

/** One line per event: the effects of a1, and its state afterwards. At most two payloads may wait. */
function play(...script: readonly string[]): string {
  let { snapshot } = start(linkMachine, { incarnation: 'a1', limit: 2 });
  const lines = script.map((text) => {
    const step = take(linkMachine, snapshot, eventOf(text));
    snapshot = step.snapshot;
    return `${text.padEnd(15)} | ${step.effects.flatMap(describeEffect).join(', ').padEnd(46)} | ${describeEnd(snapshot)}`;
  });
  return `\n${lines.join('\n')}\n`;
}

function eventOf(text: string): LinkEvent {
  const [said, at] = text.split(' @');
  const [type, ...words] = said!.split(' ');
  const connection = Number(at ?? words[0]);
  switch (type) {
    case 'post':
      return { type, payload: words[0] };
    case 'connected':
    case 'disconnected':
      return { type, connection };
    case 'HELLO':
      return { type, incarnation: words[0]!, connection };
    case 'WELCOME':
      return { type, incarnation: words[0]!, ack: Number(words[1]), connection };
    case 'DATA':
      return { type, seq: Number(words[0]), ack: Number(words[1]), payload: words[2], connection };
    case 'ACK':
      return { type, ack: Number(words[0]), connection };
    case 'finish':
    case 'flushAck':
      return { type };
    default:
      throw new Error(`no event is called ${type}`);
  }
}

function describeEffect(effect: NamedAction): readonly string[] {
  const { type, connection, frames, event, lost, limit: _, ...rest } = effect;
  if (type === 'transmit') {
    return (frames as readonly Frame[]).map((frame) => `${Object.values(frame).join(' ')} @${connection}`);
  }
  if (type === 'unexpected') return [`unexpected ${(event as LinkEvent).type}`];
  const said = [
    type,
    ...Object.values(rest),
    ...((lost as readonly string[] | undefined)?.map((payload) => `-${payload}`) ?? []),
  ];
  return [said.join(' ')];
}

function describeEnd({ value, context }: LinkSnapshot): string {
  const { peer, outbox, acknowledged, delivered } = context;
  const state = typeof value === 'string' ? value : `up ${value.up}`;
  return `${state}: ${peer ?? 'nil'}, ${acknowledged} acked, waits [${outbox.join(' ')}], ${delivered} delivered`;
}
