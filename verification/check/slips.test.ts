import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { assign, createMachine, enqueueActions, fromPromise, raise } from 'xstate';
import { always, every, plain, reachable, some } from '../system/properties.ts';
import type { ActorView, EnvironmentEvent, System } from '../system/system.ts';
import { alone, systemOf } from '../system/testing/systems.ts';
import { traceText } from '../system/text.ts';
import { role, system } from '../system/typed.ts';
import { check } from './check.ts';
import { systemOf as systemOfMachine } from './machine.ts';
import { simulate } from './simulate.ts';

const send = (target: string, type: string) => ({ type: 'send', params: { target, message: { type } } });
const counter = createMachine({
  id: 'counter',
  context: { n: 0 },
  initial: 'on',
  states: {
    on: {
      on: {
        inc: {
          guard: ({ context }) => context.n < 3,
          actions: assign({ n: ({ context }) => context.n + 1 }),
        },
        stop: 'off',
      },
    },
    off: {},
  },
});
const toggle = createMachine({
  id: 'toggle',
  initial: 'off',
  states: { off: { on: { flip: 'on' } }, on: { on: { flip: 'off' } } },
});
const stepper = createMachine({ id: 'stepper', initial: 'p', states: { p: { on: { step: 'q' } }, q: {} } });
const listener = createMachine({ id: 'b', initial: 'i', states: { i: { on: { M: 'j' } }, j: {} } });
const speaker = createMachine({ id: 'a', on: { go: { actions: send('b', 'M') } } });

const go: EnvironmentEvent = { event: { type: 'go' }, times: 2 };
const counting = (more: object, event = 'inc') =>
  alone(counter, { environment: [{ event: { type: event }, ...more }] });
const together = (given: unknown) =>
  systemOf({
    one: { machine: stepper, environment: [{ event: { type: 'step' }, together: given as never }] },
    tog: { machine: toggle },
  });
const talking = (more: Partial<System> = {}, spec: object = {}, action: unknown = send('b', 'M')) =>
  systemOf(
    {
      a: { machine: createMachine({ id: 'a', on: { go: { actions: action as never } } }), environment: [go] },
      b: { machine: listener, ...spec },
    },
    more,
  );
const delayed = (config: object, delays: object) =>
  alone(createMachine({ id: 'm', initial: 'x', states: { x: config, a: {} } }).provide({ delays } as never));
const remembering = (history: object) =>
  talking({ history: { initial: 0, after: (h: number) => h + 1, ...history } as never });
const invoking = createMachine({
  id: 'm',
  initial: 'x',
  states: { x: { invoke: { src: 'job', onDone: 'y' } }, y: { type: 'final' } },
}).provide({ actors: { job: fromPromise(async () => 1) } } as never);
const job = { done: [1] };

const shop = system('shop', { c: role(counter, { environment: ['inc', 'stop'] }), t: toggle });
interface Any {
  readonly [key: string]: Any;
}
const matching = (actor: Any, path: string) =>
  (actor as unknown as { matches(path: string): boolean }).matches(path);
const asking = (holds: (state: never) => unknown) => shop.always('mine', holds as never);
const asData = (is: (actor: ActorView) => unknown): System => ({
  ...counting({}),
  properties: [always('mine', every(is as never)), reachable('other', some(is as never))],
});
const seen = (more: string) => (actor: unknown) => (actor as Record<string, unknown>)[more] !== 1;

describe('a predicate that reads an absent key or name is refused:', () => {
  it.each<[string, () => System, RegExp]>([
    [
      'a key of an actor',
      () => asking((s: Any) => (s['c']!['contxt'] as unknown) !== 1),
      /'mine' reads 'contxt' of an actor.*did you mean context\?/,
    ],
    [
      'the state of an actor',
      () => asking((s: Any) => (s['c']!['value'] as unknown) !== 1),
      /reads 'value' of an actor.*write matches/,
    ],
    [
      'a key of an actor in the list',
      () => shop.always('mine', ((_: never, list: Any[]) => list.every(seen('inbx'))) as never),
      /did you mean inbox\?/,
    ],
    [
      'a key of a context',
      () => asking((s: Any) => (s['c']!['context']!['N'] as unknown) !== 3),
      /context\.N of 'c', and no state has that; did you mean n\?/,
    ],
    [
      "another machine's state",
      () => asking((s: Any) => !matching(s['t']!, 'stop')),
      /state 'stop', and machine 'toggle' of 't' has none/,
    ],
    ['another actor', () => asking((s: Any) => s['tt']!['up']), /'tt', and there is none; did you mean t\?/],
    ['a key of an actor, in the data form', () => asData(seen('valeu')), /did you mean value\?/],
    [
      'a key of a context, in the data form',
      () => asData((actor) => actor.context['N'] !== 3),
      /did you mean n\?/,
    ],
    ['a key in `when`', () => counting({ when: seen('inbx') }), /did you mean inbox\?/],
    [
      'a key of the whole state',
      () => ({
        ...counting({}),
        properties: [
          always(
            'x',
            plain((s) => seen('valeu')(s.actor('a'))),
          ),
        ],
      }),
      /did you mean value\?/,
    ],
    [
      'a state that is compared',
      () => asData((actor) => actor.value !== 'offf'),
      /compares a value with 'offf', which does not exist; did you mean off\?/,
    ],
    [
      'a type that is compared',
      () => asData((a) => !a.inbox.some(({ message: { type } }) => type === 'incc')),
      /compares a type with 'incc'.*did you mean inc\?/,
    ],
    [
      'a type that is compared, the other way round',
      () => asData((a) => !a.inbox.some((m) => 'stpo' === m.message.type)),
      /did you mean stop\?/,
    ],
  ])('%s', async (_, given, reason) => {
    const refusal = { code: 'PREDICATE_INVALID', reason: expect.stringMatching(reason) };
    await expect((async () => check(given()))()).rejects.toMatchObject(refusal);
  });

  it('a comparison with a type that no message has holds vacuously', async () => {
    const asked = asData((a) => !a.inbox.some(({ message }) => message.type === 'TOKN'));
    expect((await check(asked)).properties[1]).toMatchObject({
      verdict: 'holds',
      vacuous: "it compares a type with 'TOKN', which no message has",
    });
    const { properties } = await check(asked, { failVacuous: true });
    expect(properties[1]!.verdict).toBe('violated');
  });

  it('an absent key that is no slip is reported, and a key that appears later is not', async () => {
    const late = createMachine({
      id: 'late',
      context: {} as Record<string, number>,
      on: { go: { actions: assign({ charge: 1 }) } },
    });
    const asked = (key: string) =>
      check({
        ...alone(late, { environment: [go] }),
        properties: [
          always(
            'x',
            every(({ context }) => context[key] !== 7),
          ),
        ],
      });
    expect((await asked('charge')).absent).toEqual([]);
    expect((await asked('error')).absent).toEqual([{ actor: 'a', key: 'error' }]);
    await expect(asked('charges')).rejects.toThrow(/did you mean charge\?/);
  });

  it('a predicate over all actors may read keys that only some machines have', async () => {
    const two = systemOf(
      { a: { machine: counter }, b: { machine: listener } },
      {
        properties: [
          always(
            'x',
            every(({ context }) => context['n'] !== 7),
          ),
        ],
      },
    );
    expect((await check(two)).absent).toEqual([]);
  });

  it('a view can be serialised, and all of its keys can be read', async () => {
    const said: string[] = [];
    await check(
      asking((s: Any) => {
        said.push(JSON.stringify(s['c']));
        return Object.keys(s).join() === 'c,t' && 't' in s;
      }),
    );
    expect(said[0]).toBe(
      '{"id":"c","up":true,"value":"on","crashes":0,"context":{"n":0},"inbox":[],"timers":[]}',
    );
    const whole = plain((s) => s.actor('a').done !== true && s.actor('a').takes!({ type: 'inc' }));
    const { properties } = await check({ ...counting({}), properties: [always('x', whole)] });
    expect(properties[1]!.verdict).toBe('violated');
  });
});

describe('a slip is an error that names the intended word:', () => {
  it.each<[string, () => System, string, RegExp]>([
    [
      'an event in `together`',
      () => together(() => ({ tog: { type: 'flipp' } })),
      'SYSTEM_INVALID',
      /flipp' in no state; did you mean flip\?$/,
    ],
    [
      '`together` that is async',
      () => together(async () => ({ tog: { type: 'flip' } })),
      'PREDICATE_INVALID',
      /answered a promise/,
    ],
    [
      '`together` without a return',
      () => together(() => {}),
      'SYSTEM_INVALID',
      /by id, and gave undefined\. Does it lack a return\?/,
    ],
    [
      '`together` of itself',
      () => together(() => ({ one: { type: 'step' } })),
      'SYSTEM_INVALID',
      /names 'one' itself/,
    ],
    [
      "an event that another actor's machine takes",
      () => talking({}, { environment: [go] }),
      'SYSTEM_INVALID',
      /machine 'b' takes 'go' in no state; there are M/,
    ],
    [
      'a message',
      () => talking({}, {}, send('b', 'MM')),
      'SYSTEM_INVALID',
      /from 'a' to 'b': .*'MM' in no state; did you mean M\?/,
    ],
    [
      'what `deliver` gives',
      () => talking({}, { deliver: () => ({ type: 'MM' }) }),
      'SYSTEM_INVALID',
      /`deliver` of 'b'.*did you mean M\?/,
    ],
    [
      'an action',
      () => talking({}, {}, { ...send('b', 'M'), type: 'sned' }),
      'SYSTEM_INVALID',
      /'sned', which has no implementation; did you mean send\?/,
    ],
    ['an action for the disk', () => talking({}, {}, 'persit'), 'SYSTEM_INVALID', /did you mean persist\?/],
    [
      'an action that is enqueued',
      () =>
        talking(
          {},
          {},
          enqueueActions(({ enqueue }) => enqueue('brodcast' as never)),
        ),
      'SYSTEM_INVALID',
      /did you mean broadcast\?/,
    ],
    [
      'an effect of the history',
      () => remembering({ effects: ['sendd'] }),
      'SYSTEM_INVALID',
      /history\.effects\[0\].*did you mean send\?/,
    ],
    [
      'a delivery of the history',
      () => remembering({ deliveries: ['MM'] }),
      'SYSTEM_INVALID',
      /history\.deliveries\[0\].*did you mean M\?/,
    ],
    ['a history that hears nothing', () => remembering({}), 'SYSTEM_INVALID', /`after` is never called/],
    [
      'a name in `outside`',
      () => counting({}) && { ...counting({}), outside: ['nope'] },
      'SYSTEM_INVALID',
      /outside\[0\]: no machine has an action 'nope'/,
    ],
    [
      'a delay',
      () => delayed({ after: { patiance: 'a' } }, { patience: 9 }),
      'SYSTEM_INVALID',
      /'patiance', which stands for nothing.*did you mean patience\?/,
    ],
    [
      'the delay of a raise',
      () => delayed({ entry: raise({ type: 'A' }, { delay: 'lon' } as never) }, { long: 9 }),
      'SYSTEM_INVALID',
      /did you mean long\?/,
    ],
    [
      'a payload with a type',
      () => counting({ payloads: () => [{ type: 'stop' }] }),
      'SYSTEM_INVALID',
      /gives type: "stop", and the event has type: "inc"/,
    ],
    [
      'payloads without an array',
      () => counting({ payloads: () => ({ n: 1 }) }),
      'SYSTEM_INVALID',
      /must give an array/,
    ],
    [
      'payloads that are async',
      () => counting({ payloads: async () => [] }),
      'PREDICATE_INVALID',
      /answered a promise/,
    ],
    [
      '`when` that reads chance',
      () => counting({ when: () => Math.random() < 2 }),
      'PREDICATE_INVALID',
      /`when` of .* reads Math\.random/,
    ],
    [
      '`accepts` of the inbox',
      () => talking({}, { accepts: (_: unknown, b: { inbox: [] }) => b.inbox.length > 1 }),
      'PREDICATE_INVALID',
      /`accepts` of 'b' looks at the inbox/,
    ],
    [
      'an input after a crash that is async',
      () => alone(counter, { crash: { times: 1 }, restart: { input: async () => 1 } }),
      'PREDICATE_INVALID',
      /`restart\.input` of 'a' answered a promise/,
    ],
    [
      'a history that draws',
      () => remembering({ effects: ['send'], after: () => Math.random() }),
      'PREDICATE_INVALID',
      /reads Math\.random/,
    ],
    [
      'a history without a return',
      () => remembering({ effects: ['send'], after: () => {} }),
      'PREDICATE_INVALID',
      /Does it lack a return\?/,
    ],
    [
      'a view that is async',
      () => ({ ...counting({}), view: async () => 1 }),
      'PREDICATE_INVALID',
      /`view` answered a promise/,
    ],
    [
      'a view without a return',
      () => ({ ...counting({}), view: () => {} }),
      'PREDICATE_INVALID',
      /Does it lack a return\?/,
    ],
    [
      'and of nothing',
      () => ({
        ...counting({}),
        properties: [{ kind: 'always', name: 'x', predicate: { kind: 'and', of: [] } }],
      }),
      'SYSTEM_INVALID',
      /of: it must not be empty/,
    ],
    [
      'a constraint that no initial state satisfies',
      () => ({ ...counting({}), constraint: plain(() => false) }),
      'SYSTEM_INVALID',
      /holds in no initial state/,
    ],
    [
      'an outcome of nothing',
      () => alone(invoking, { outcomes: { job, ohter: job } }),
      'SYSTEM_INVALID',
      /outcomes\.ohter: machine 'm' invokes no 'ohter'/,
    ],
    [
      'the name of an outcome',
      () => alone(invoking, { outcomes: { jobb: job } }),
      'OUTCOMES_MISSING',
      /outcomes has 'jobb': did you mean job\?/,
    ],
    [
      'an outcome that throws',
      () => alone(invoking, { outcomes: { job: { done: broken } } }),
      'CALLBACK_FAILED',
      /^The outcomes of 'job' threw: broken/,
    ],
    [
      'outcomes that are async',
      () => alone(invoking, { outcomes: { job: { done: async () => [] } } as never }),
      'PREDICATE_INVALID',
      /outcomes of 'job' answered a promise/,
    ],
    [
      'an export beside a machine',
      () => systemOfMachine(counter, { event: [] } as never),
      'SOURCE_INVALID',
      /'event' beside its machine.*did you mean events\?/,
    ],
    [
      'another word for an export',
      () => systemOfMachine(counter, { constraint: 1 } as never),
      'SOURCE_INVALID',
      /did you mean within\?/,
    ],
    [
      'an export of another kind',
      () => systemOfMachine(counter, { events: { type: 'inc' } } as never),
      'SOURCE_INVALID',
      /'events' of the module to be an array/,
    ],
    [
      'a machine that is replaced and not there',
      () => system('s', { c: counter }).replacing(toggle, counter),
      'SYSTEM_INVALID',
      /no actor has this very machine 'toggle': c has 'counter'/,
    ],
  ])('%s', async (_, given, code, reason) => {
    const refusal = { code, reason: expect.stringMatching(reason) };
    await expect((async () => check(given()))()).rejects.toMatchObject(refusal);
    await expect((async () => simulate(given(), { seeds: 20 }))()).rejects.toMatchObject(refusal);
  });

  it('a message that its actor ignores by intent, or that another one takes, is no slip and is reported', async () => {
    const { untaken, properties } = await check(talking({}, {}, send('b', 'hello')));
    expect(untaken).toEqual([{ actor: 'b', event: 'hello' }]);
    expect(properties[0]!.verdict).toBe('holds');
    expect((await check(talking())).untaken).toEqual([]);
  });

  it('an action without implementation is reported, unless it is declared', async () => {
    const log = talking({}, {}, 'log');
    expect((await check(log)).notRun).toEqual([{ machine: 'a', actions: ['log'] }]);
    expect((await check({ ...log, outside: ['log'] })).notRun).toEqual([]);
  });

  it('the property `no machine fails` can be judged alone', async () => {
    const { properties } = await check(
      system('s', { c: role(counter, { environment: ['inc'] }) }).neverEnds(),
      {
        only: ['no machine fails'],
      },
    );
    expect(properties.map(({ name }) => name)).toEqual(['no machine fails']);
  });

  it('correct names are accepted', async () => {
    const { properties } = await check(
      systemOf(
        { a: { machine: speaker, environment: [go] }, b: { machine: listener } },
        { history: { initial: 0, effects: ['send'], deliveries: ['M'], after: (h) => (h as number) + 1 } },
      ),
    );
    expect(properties[0]!.verdict).toBe('holds');
  });
});

function broken(): never {
  throw new Error('broken');
}

it('fairness ignores a step that changes nothing: it neither excuses another step of its class, nor is owed', async () => {
  const idler = createMachine({
    id: 'idler',
    initial: 'x',
    states: { x: { on: { inc: 'y' } }, y: {} },
    on: { noop: { guard: () => false } },
  });
  const asked = system('s', { c: role(idler, { environment: ['inc', 'noop'] }) }).eventually(
    'y',
    ({ c }) => c.matches('y'),
    { weak: ({ kind }) => (kind === 'environment' ? 'outside' : null) },
  );
  expect((await check(asked)).properties[1]!.verdict).toBe('holds');
});

it.each([
  ['a number that was a text', '1', 1, /v="1".*v=1/s],
  ['a key that is undefined', {}, { k: undefined }, /v=\{\}.*\* a +v=\{"k":undefined\}/s],
])('%s shows in a trace', async (_, before, after, shown) => {
  const machine = createMachine({
    id: 'm',
    context: { v: before as unknown },
    on: { go: { actions: assign({ v: () => after }) } },
  });
  const { properties } = await check({
    ...alone(machine, { environment: [go] }),
    properties: [
      always(
        'x',
        every(({ context }) => isDeepStrictEqual(context['v'], before)),
      ),
    ],
  });
  expect(traceText(properties[1]!.trace!)).toMatch(shown);
});
