import { type AnyStateMachine, createActor, type EventObject } from 'xstate';
import { siteMachine } from '../../machines/epoch/site.ts';
import { linkMachine } from '../../machines/link/link.ts';
import { EffectActor } from '../../runtime/driver/actor.ts';
import { compile } from '../../statechart/compile.ts';

/*
 * Compares the cost of an event in XState's live actor and in the compiled statechart, in turns, so that both
 * run under the same load. `node --import tsx bench/statechart/run.ts`
 */

interface Scenario {
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly input: unknown;
  readonly before: readonly EventObject[];
  /** Repeated events that end in the state where they began. */
  readonly cycle: readonly EventObject[];
}

const site = { self: 'a', founder: 'a', voters: ['a', 'b', 'c'], disk: 'none' };
const epoch = { epoch: 0, root: 'a' };
const [ask, release] = [{ type: 'ask' }, { type: 'release' }];
const request = { type: 'REQUEST', ...epoch, origin: 'b' };
const token = { type: 'TOKEN', ...epoch, k: 7, line: [] };
const link = { incarnation: 'mine', limit: 100 };
const connection = 1;

/**
 * Acknowledgements count up, so each cycle starts with a new connection and a new incarnation of the peer.
 */
const meet = [
  { type: 'disconnected', connection },
  { type: 'connected', connection },
] as const;
const welcome = (incarnation: string) => ({ type: 'WELCOME', connection, incarnation, ack: 0 });
const traffic = [
  { type: 'post', payload: 'a message' },
  { type: 'DATA', connection, seq: 1, ack: 0, payload: 'a message' },
  { type: 'ACK', connection, ack: 1 },
];

const scenarios: readonly Scenario[] = [
  { name: 'epoch: ask, release', machine: siteMachine, input: site, before: [], cycle: [ask, release] },
  {
    name: 'epoch: REQUEST, ask, TOKEN, release',
    machine: siteMachine,
    input: site,
    before: [],
    cycle: [request, ask, token, release],
  },
  {
    name: 'link: post, DATA, ACK, and a new life',
    machine: linkMachine,
    input: link,
    before: [meet[1], welcome('one')],
    cycle: ['other', 'one'].flatMap((life) => [...traffic, ...meet, welcome(life)]),
  },
];

const rounds = 7;
const perRound = 30_000;

for (const { name, machine, input, before, cycle } of scenarios) {
  const actor = createActor(machine, { input }).start();
  const effects = [...compile(machine).effects];
  const compiled = new EffectActor<EventObject, EventObject>(machine, effects, { id: 'a', input });
  for (const event of before) {
    actor.send(event);
    compiled.take(event);
  }
  const [live, stepped]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    live.push(microsecondsPerEvent(cycle, (event) => actor.send(event)));
    stepped.push(microsecondsPerEvent(cycle, (event) => compiled.take(event)));
  }
  const [slow, fast] = [Math.min(...live), Math.min(...stepped)];
  const factor = (slow / fast).toFixed(1);
  console.log(`${name}: ${slow.toFixed(2)} µs live, ${fast.toFixed(2)} µs compiled, ${factor} times`);
}

function microsecondsPerEvent(cycle: readonly EventObject[], take: (event: EventObject) => void): number {
  const before = process.hrtime.bigint();
  for (let taken = 0; taken < perRound; taken += cycle.length) for (const event of cycle) take(event);
  return Number(process.hrtime.bigint() - before) / 1_000 / perRound;
}
