import { describe, expect, test } from 'vitest';
import { type AnyActorRef, type AnyStateMachine, assign } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { ClientEvent, SiteMessage } from '../../machines/epoch/messages.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import type { RecordLine } from '../../machines/record.ts';
import { systemClock, systemRandom } from '../api/clock.ts';
import type { OperatingError } from '../api/errors.ts';
import type { StampedEnvelope } from '../api/peer.ts';
import { ElectionTrigger } from '../election/election-trigger.ts';
import { GrantWatch } from '../lock/grant-watch.ts';
import { Places } from '../lock/places.ts';
import { Row } from '../lock/row.ts';
import { MemoryHub } from '../mailbox/memory.ts';
import { noRecorder } from '../observe/recorder.ts';
import { defaultTiming } from '../options/schema.ts';
import { memoryStore } from '../store/store.ts';
import { deaf } from '../testing/handlers.ts';
import { LockActor, type LockActorSetting } from './lock-actor.ts';
import { Tally } from './tally.ts';

interface Scene {
  readonly actor: LockActor;
  /** The outputs of the actor, in order. */
  readonly log: string[];
}

/** The actor of one lock at `site`, one of `members`; the first member has the token. */
async function scene(
  site: SiteId,
  change: Partial<LockActorSetting> = {},
  hub = new MemoryHub(),
): Promise<Scene> {
  const members = ['a', 'b', 'c'];
  const log: string[] = [];
  const mailbox = hub.mailbox(site);
  const store = memoryStore(site);
  const durable = (lock: string) => {
    const kept = store.read(lock, 'a');
    return kept === 'none' ? { promised: 0, epoch: 0, root: 'a' } : kept;
  };
  const trigger = new ElectionTrigger({
    self: site,
    voters: members,
    timing: defaultTiming,
    clock: systemClock,
    random: systemRandom,
    isUp: () => true,
    durable,
    waits: () => false,
    suspect: () => undefined,
  });
  const setting: LockActorSetting = {
    site,
    life: 0,
    machine: 'epoch',
    statechart: siteMachine,
    recorder: noRecorder,
    tally: new Tally(),
    clock: systemClock,
    mailbox: {
      ...mailbox,
      self: site,
      isUp: () => true,
      post: (envelope: StampedEnvelope) => {
        log.push(`${envelope.message.type} to ${envelope.target}`);
        mailbox.post(envelope);
      },
      refuse: (_: StampedEnvelope, { message }: OperatingError) => void log.push(message),
    } as LockActorSetting['mailbox'],
    store: { ...store, put: (_, { promised, epoch }) => void log.push(`persist ${promised} ${epoch}`) },
    places: new Places(systemClock),
    grants: new GrantWatch(systemClock),
    row: new Row(),
    maxBatch: 16,
    answerMs: 100,
    durable,
    trigger,
    graceMs: 1,
    leases: null,
    notice: ({ type }) => void log.push(type),
    sync: () => void log.push('sync'),
    activated: () => undefined,
    forgotten: () => undefined,
    stood: () => undefined,
    waitsInMinority: () => undefined,
    isUp: () => true,
    peers: () => members.filter((member) => member !== site),
    promised: () => undefined,
    generation: () => 1,
    begun: () => true,
    unheard: ({ lock }, { by }) => log.push(`${by} has not heard ${lock}`),
    hindrance: () => null,
    crashed: ({ code, message }) => void log.push(code, message),
    ...change,
  };
  const peers = members.filter((id) => id !== site);
  const actor = new LockActor(setting, 'main', peers, {
    self: site,
    founder: 'a',
    voters: members,
    disk: 'none',
  });
  await mailbox.open({ ...deaf, receive: (envelope) => actor.receive(envelope) });
  log.splice(0);
  return { actor, log };
}

const from = (source: SiteId, message: SiteMessage): StampedEnvelope => ({
  source,
  target: 'a',
  lock: 'main',
  message,
  stamp: { seq: 1, clock: { [source]: 1 } },
});

const request = (origin: SiteId) => from(origin, { type: 'REQUEST', epoch: 0, root: 'a', origin });
const token: SiteMessage = { type: 'TOKEN', epoch: 0, root: 'a', k: 1, line: [] };

describe('a lock actor', () => {
  test('syncs the disk before a caller hears of a grant', async () => {
    const { actor, log } = await scene('a');
    const { fence } = await actor.queue.acquire();
    expect([fence, log]).toEqual([{ generation: 1, epoch: 0, k: 1 }, ['sync']]);
  });

  test('keeps what it promises before it says so', async () => {
    const { actor, log } = await scene('a');
    actor.receive(from('b', { type: 'VOTE_REQUEST', epoch: 1, candidate: 'b', term: 0, version: 1 }));
    expect(log).toEqual(['persist 1 0', 'VOTE to b']);
  });

  test('does not take a message that no correct peer sends', async () => {
    const { actor, log } = await scene('a');
    await actor.queue.acquire();
    const before = actor.snapshot;
    actor.receive(from('b', token));
    expect(log).toEqual([
      'sync',
      expect.stringMatching(/^PROTOCOL_BREACH: b breaks .*: no transition takes it/),
    ]);
    expect([actor.snapshot, actor.seq]).toEqual([before, 1]);
  });

  test.each<[string, Partial<LockActorSetting>, ClientEvent, StampedEnvelope[], string, RegExp]>([
    [
      'when a message cannot be sent',
      {
        mailbox: {
          post: () => {
            throw new Error('closed');
          },
        } as unknown as LockActorSetting['mailbox'],
      },
      { type: 'withdraw' },
      [request('b')],
      'EFFECT_FAILED',
      /a cannot send TOKEN to b: closed/,
    ],
    [
      'when the disk fails',
      {
        sync: () => {
          throw new Error('full');
        },
      },
      { type: 'ask' },
      [],
      'EFFECT_FAILED',
      /a cannot sync its disk: full/,
    ],
    [
      'when it breaks an invariant',
      {
        statechart: siteMachine.provide({
          actions: { surrenderToken: assign(({ context }) => ({ line: [], last: context.line.at(-1)! })) },
        }) as AnyStateMachine,
      },
      { type: 'withdraw' },
      [request('b')],
      'INVARIANT_BROKEN',
      /a after REQUEST: L3: /,
    ],
  ])('crashes %s, and does nothing any more', async (_, change, event, envelopes, code, message) => {
    const { actor, log } = await scene('a', change);
    if (event.type === 'ask') actor.queue.acquire();
    for (const envelope of envelopes) actor.receive(envelope);
    expect(log.slice(-2)).toEqual([code, expect.stringMatching(message)]);
    const done = log.length;
    actor.receive(request('c'));
    expect(log).toHaveLength(done);
  });

  test('shows an inspector every event with its sender', async () => {
    const seen: string[] = [];
    const { actor } = await scene('a', {
      inspect: (inspected) => {
        if (inspected.type === '@xstate.event')
          seen.push(`${inspected.event.type} ${(inspected.sourceRef as AnyActorRef | undefined)?.id}`);
      },
    });
    await actor.queue.acquire();
    actor.receive(request('b'));
    expect(seen).toEqual(['xstate.init undefined', 'ask undefined', 'REQUEST b']);
  });

  test('records what caused each event, with clocks that order it', async () => {
    const hub = new MemoryHub();
    const lines: RecordLine[] = [];
    const recorder = { ...noRecorder, active: true, record: (line: RecordLine) => void lines.push(line) };
    const [a, b] = [await scene('a', { recorder }, hub), await scene('b', { recorder }, hub)];
    const held = await a.actor.queue.acquire();
    const waits = b.actor.queue.acquire();
    hub.run();
    held.release();
    // The actor is told at the end of the turn.
    await new Promise(setImmediate);
    hub.run();
    await waits;
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
      { site: 'a', machine: 'epoch', input: { self: 'a', founder: 'a' }, peers: ['b', 'c'] },
      { site: 'b', machine: 'epoch', input: { self: 'b', founder: 'a' }, peers: ['a', 'c'] },
    ]);
  });
});
