import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { RecordLine } from '../../machines/record.ts';
import type { InvariantError } from '../api/errors.ts';
import { MemoryHub } from '../mailbox/memory.ts';
import { noRecorder, type Recorder } from '../observe/recorder.ts';
import { naimiTrehel } from '../site/naimi-trehel.ts';
import type { Protocol } from '../site/protocol.ts';
import { HandledHost } from '../testing/handled-host.ts';
import { deaf } from '../testing/handlers.ts';
import type { StampedEnvelope } from '../wire/frames.ts';

const peersOf = (site: SiteId) => ['a', 'b', 'c'].filter((id) => id !== site);

/** What a protocol without failures needs of its driver, for a site of a, b and c. */
const plain = (
  site: SiteId,
  protocol: Protocol = naimiTrehel,
  root: SiteId = 'a',
  peers = peersOf(site),
) => ({
  site,
  peers,
  lock: 'main',
  protocol,
  input: protocol.input({ site, root, peers, voters: [], disk: 'none', strict: false }),
});

interface Run {
  readonly host: HandledHost;
  readonly done: string[];
  readonly posted: StampedEnvelope[];
}

function runHost(protocol: Protocol, site: SiteId = 'a', recorder: Recorder = noRecorder): Run {
  const done: string[] = [];
  const posted: StampedEnvelope[] = [];
  const host = new HandledHost({
    ...plain(site, protocol),
    recorder,
    post: (envelope) => {
      if (envelope.message.type === 'TOO_MUCH') throw new Error('the outbox is full');
      posted.push(envelope);
      done.push(`${envelope.message.type} to ${envelope.target}`);
    },
    persist: ({ promised, epoch }) => done.push(`persist ${promised} ${epoch}`),
    sync: () => done.push('sync'),
    grant: (fence) => done.push(fence ? `grant ${fence.epoch} ${fence.k}` : 'grant'),
    lost: (fence) => done.push(`lost ${fence.epoch} ${fence.k}`),
    elected: ({ epoch, root }) => done.push(`elected ${epoch} ${root}`),
    left: () => done.push('left'),
    refused: ({ message }) => done.push(message),
    crashed: (error: InvariantError) => done.push(error.code),
  });
  return { host, done, posted };
}

const from = (source: SiteId, message: { type: string }, seq = 1): StampedEnvelope => ({
  source,
  target: 'a',
  lock: 'main',
  message,
  stamp: { seq, clock: { [source]: seq } },
});

/** A machine that asks for what its events say. */
const willing = setup({
  types: {} as { context: { count: number }; events: { type: string } },
  actions: {
    send: (_, _params: { target: SiteId; message: { type: string } }) => undefined,
    broadcast: (_, _params: { message: { type: string } }) => undefined,
    grant: () => undefined,
    left: () => undefined,
    unexpected: (_, _params: { event: { type: string } }) => undefined,
    countUp: assign({ count: ({ context }) => context.count + 1 }),
  },
}).createMachine({
  context: { count: 0 },
  on: {
    many: {
      actions: [
        { type: 'send', params: { target: 'b', message: { type: 'ONE' } } },
        'grant',
        'countUp',
        { type: 'broadcast', params: { message: { type: 'TWO' } } },
        'left',
        { type: 'send', params: { target: 'b', message: { type: 'THREE' } } },
      ],
    },
    fail: {
      actions: assign(() => {
        throw new Error('a bug');
      }),
    },
    flood: { actions: { type: 'send', params: { target: 'b', message: { type: 'TOO_MUCH' } } } },
    DEPART: {},
    '*': { actions: { type: 'unexpected', params: ({ event }) => ({ event }) } },
  },
});

const willingProtocol: Protocol = {
  name: 'willing',
  machine: willing,
  survives: false,
  input: () => undefined,
  layout: {},
  urgent: 'TOKEN',
  breachOf: ({ type }) => (type === 'LIE' ? 'it lies' : null),
  breachBy: () => null,
  departs: ({ type }) => (type === 'DEPART' ? 'b' : null),
  invariants: ({ context }) => ((context as { count: number }).count > 1 ? 'the count is above 1' : null),
  status: () => ({ last: null, next: null, token: false, client: 'none', epoch: 0, frozen: false }),
};

describe('effects', () => {
  test('are executed in the order asked', () => {
    const { host, done } = runHost(willingProtocol);
    host.tell({ type: 'many' });
    expect(done).toEqual(['ONE to b', 'sync', 'grant', 'TWO to b', 'TWO to c', 'left', 'THREE to b']);
  });

  test('of what is due come before those of what arrives after it', () => {
    const taken: string[] = [];
    const overdue = [{ type: 'many' }];
    const recorder: Recorder = {
      ...noRecorder,
      active: true,
      record: (line) => void (line.kind === 'event' && taken.push(line.event.type)),
    };
    const host = new HandledHost({ ...plain('a', willingProtocol), recorder, due: () => overdue.splice(0) });
    host.deliver(from('b', { type: 'DEPART' }));
    expect(taken).toEqual(['many', 'DEPART']);
  });

  test('of one event are all executed before the next event is taken', () => {
    const order: string[] = [];
    const host: HandledHost = new HandledHost({
      ...plain('a'),
      recorder: {
        ...noRecorder,
        active: true,
        record: (line) => line.kind === 'event' && order.push(line.event.type),
      },
      post: ({ message }) => order.push(`send ${message.type}`),
      grant: () => {
        host.tell({ type: 'release' });
        order.push('grant done');
      },
      crashed: ({ code }) => order.push(code),
    });
    host.tell({ type: 'ask' });
    expect(order).toEqual(['ask', 'grant done', 'release']);
  });

  test('a broadcast no longer reaches a site that has departed', () => {
    const { host, done } = runHost(willingProtocol);
    host.deliver(from('b', { type: 'DEPART' }));
    host.tell({ type: 'many' });
    expect(done.filter((what) => what.startsWith('TWO'))).toEqual(['TWO to c']);
  });

  test('that nobody executes are refused before anything runs', () => {
    const odd = setup({ actions: { shred: () => undefined } }).createMachine({});
    expect(() => runHost({ ...willingProtocol, machine: odd })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_EFFECT' }),
    );
  });
});

describe('a site crashes, loudly and for good', () => {
  test.each([
    ['when its machine fails', ['fail'], ['MACHINE_ERROR']],
    ['when no transition takes an event', ['NONSENSE'], ['UNEXPECTED_EVENT']],
    ['when a send fails', ['flood'], ['EFFECT_FAILED']],
  ])('%s', (_, events, expected) => {
    const { host, done } = runHost(willingProtocol);
    for (const type of [...events, 'many']) host.tell({ type });
    expect(done).toEqual(expected);
  });

  test('when it breaks an invariant, before any effect shows it', () => {
    const { host, done } = runHost(willingProtocol);
    host.tell({ type: 'many' });
    done.splice(0);
    host.tell({ type: 'many' });
    expect(done).toEqual(['INVARIANT_BROKEN']);
  });
});

describe('a message that no correct peer sends is not taken', () => {
  test.each([
    ['what the protocol knows for a lie', 'LIE', 'it lies'],
    ['what no transition takes', 'NONSENSE', 'no transition takes it'],
  ])('%s', (_, type, why) => {
    const { host, done } = runHost(willingProtocol);
    const before = host.snapshot;
    host.deliver(from('b', { type }));
    expect(done).toEqual([expect.stringContaining(why)]);
    expect([host.snapshot, host.seq]).toEqual([before, 0]);
    host.tell({ type: 'many' });
    expect(done.slice(1)).toContain('grant');
  });

  test('a second token that comes to a Naimi–Trehel site with none behind it', () => {
    const { host, done } = runHost(naimiTrehel, 'b');
    host.tell({ type: 'ask' });
    host.deliver(from('a', { type: 'TOKEN' }));
    host.deliver(from('c', { type: 'TOKEN' }));
    expect(done).toEqual([
      'REQUEST to a',
      'sync',
      'grant',
      expect.stringContaining('no transition takes it'),
    ]);
    host.tell({ type: 'release' });
    host.tell({ type: 'ask' });
    expect(done.slice(4)).toEqual(['sync', 'grant']);
  });
});

test('an inspector sees every event and every snapshot of the actor', () => {
  const seen: string[] = [];
  const host = new HandledHost({
    ...plain('a', naimiTrehel, 'a', ['b']),
    inspect: (inspected) => {
      if (inspected.type === '@xstate.event') seen.push(inspected.event.type);
    },
  });
  host.tell({ type: 'ask' });
  host.deliver(from('b', { type: 'REQUEST', origin: 'b' } as { type: string }));
  expect(seen).toEqual(['xstate.init', 'ask', 'REQUEST']);
});

test('what is recorded names its cause, and clocks order it', () => {
  const hub = new MemoryHub();
  const lines: RecordLine[] = [];
  const recorder: Recorder = {
    active: true,
    record: (line) => lines.push(line),
    flush: () => undefined,
    close: () => undefined,
  };
  const hosts = ['a', 'b'].map((site) => {
    const mailbox = hub.mailbox(site);
    const host: HandledHost = new HandledHost({
      ...plain(
        site,
        naimiTrehel,
        'a',
        ['a', 'b'].filter((id) => id !== site),
      ),
      recorder,
      post: (envelope) => mailbox.post(envelope),
    });
    mailbox.open({ ...deaf, receive: (envelope) => host.deliver(envelope) });
    return host;
  });
  hosts[0]!.tell({ type: 'ask' });
  hosts[1]!.tell({ type: 'ask' });
  hub.run();
  hosts[0]!.tell({ type: 'release' });
  hub.run();
  const events = lines.flatMap((line) =>
    line.kind === 'event' ? [[line.site, line.seq, line.event.type, line.cause, line.clock]] : [],
  );
  expect(events).toEqual([
    ['a', 1, 'ask', null, { a: 1 }],
    ['b', 1, 'ask', null, { b: 1 }],
    ['a', 2, 'REQUEST', { site: 'b', seq: 1 }, { a: 2, b: 1 }],
    ['a', 3, 'release', null, { a: 3, b: 1 }],
    ['b', 2, 'TOKEN', { site: 'a', seq: 3 }, { a: 3, b: 2 }],
  ]);
  expect(lines.filter(({ kind }) => kind === 'start')).toMatchObject([
    { site: 'a', machine: 'naimi-trehel', input: { self: 'a', root: 'a', peers: 1 }, peers: ['b'] },
    { site: 'b', machine: 'naimi-trehel', input: { self: 'b', root: 'a', peers: 1 }, peers: ['a'] },
  ]);
});
