import { beforeAll, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { check, noFault, type Report } from '../../check/check.ts';
import type { PropertyResult } from '../../system/system.ts';
import { finishMutants, mutants, restartMutants } from './mutants.ts';
import { type LinkOptions, link } from './system.ts';

const base = { sites: 2, network: { order: 'fifo' } } as const;
const living: LinkOptions = { ...base, posts: 2, connections: 2, finishes: [] };
const finishing: LinkOptions = { ...living, finishes: ['a'] };
const dying: LinkOptions = { ...base, posts: 1, limit: 1, crashes: ['a'], connections: 3 };

const reports = {
  living: new Map<string, Report>(),
  finishing: new Map<string, Report>(),
  dying: new Map<string, Report>(),
};

beforeAll(async () => {
  for (const [name, machine] of Object.entries(mutants)) {
    const options = name === 'the outbox has no bound' ? { ...living, limit: 1 } : living;
    reports.living.set(name, await refute(options, machine));
  }
  for (const [name, machine] of Object.entries(finishMutants))
    reports.finishing.set(name, await refute(finishing, machine));
  for (const [name, machine] of Object.entries(restartMutants))
    reports.dying.set(name, await refute(dying, machine));
});

function refute(options: LinkOptions, machine: AnyStateMachine): Promise<Report> {
  return check(link({ ...options, machine }), { maxStates: 60_000 });
}

test('each mistake between two incarnations is refuted: after how many steps, and by which property first', () => {
  expect(table(reports.living)).toMatchInlineSnapshot(`
    "
    a delivered message is sent again: 10, nothing unexpected
    a delivered message is sent again, and delivered again: 11, each payload once and in order
    a WELCOME acknowledges nothing: 10, nothing unexpected
    more is acknowledged than was delivered: 7, nothing unexpected
    one more is taken for acknowledged: 9, a posted message waits, or was delivered, or was reported lost
    resent under the number of what is acknowledged: 5, nothing unexpected
    resent from the second that waits: 6, nothing unexpected
    nothing is resent: 6, nothing unexpected
    resent in reverse: 7, each payload once and in order
    the outbox is dropped with the connection: 3, a posted message waits, or was delivered, or was reported lost
    a message posted while down is dropped: 1, a posted message waits, or was delivered, or was reported lost
    the outbox has no bound: 2, the outbox is bounded
    the outbox is never filled: no trace, the outbox is full
    a delivery is not counted: 7, nothing unexpected
    acknowledgements do not go alone: 10, a waiting message is acknowledged
    payloads carry no acknowledgement: 9, nothing unexpected
    payloads are not transmitted: 8, a posted message is delivered, a waiting message is acknowledged
    the answer to WELCOME is left out: 4, nothing unexpected
    a WELCOME of an old connection is believed: 5, nothing unexpected
    every reconnect is taken for a restart: 8, a message reported lost was for a life that is over
    "
  `);
});

test('each mistake about the end is refuted', () => {
  expect(table(reports.finishing)).toMatchInlineSnapshot(`
    "
    drained is said at once: 2, a drained end was received, or has reported it lost
    drained is said while one waits: 2, a drained end was received, or has reported it lost
    drained is never said: 8, an end that finishes is drained
    "
  `);
});

test('each mistake about incarnations that end is refuted', () => {
  expect(table(reports.dying)).toMatchInlineSnapshot(`
    "
    incarnations are not compared: 11, a waiting message is for the life that is known
    the outbox goes to the new life: 11, a waiting message is for the life that is known
    numbers go on in the new life: 13, nothing unexpected
    a lost message is not reported: 11, a posted message waits, or was delivered, or was reported lost
    a new life is refused: 9, nothing unexpected
    a HELLO is believed: 10, a message reported lost was for a life that is over
    "
  `);
});

test('each property is refuted by a mutant', async () => {
  const mute = await refute(dying, mutants['payloads are not transmitted']);
  const reported = [
    ...reports.living.values(),
    ...reports.finishing.values(),
    ...reports.dying.values(),
    mute,
  ];
  const refuted = named(reported, ({ verdict }) => verdict === 'violated');
  const all = named(reported, () => true);
  // The mutants of this property are machines that throw.
  expect([...all].filter((name) => !refuted.has(name))).toEqual([noFault.name]);
});

function named(reported: readonly Report[], which: (result: PropertyResult) => boolean): ReadonlySet<string> {
  return new Set(reported.flatMap(({ properties }) => properties.filter(which).map(({ name }) => name)));
}

/** One line per mutant: the length of the shortest trace, and the property that it violates. */
function table(all: ReadonlyMap<string, Report>): string {
  const lines = [...all].map(([name, { properties }]) => {
    const broken = properties.filter(({ verdict }) => verdict === 'violated');
    const length = ({ trace }: (typeof broken)[number]) => trace?.steps.length ?? Number.POSITIVE_INFINITY;
    const steps = Math.min(...broken.map(length));
    const first = broken.filter((property) => length(property) === steps).map((property) => property.name);
    return `${name}: ${steps === Number.POSITIVE_INFINITY ? 'no trace' : steps}, ${first.join(', ')}`;
  });
  return `\n${lines.join('\n')}\n`;
}
