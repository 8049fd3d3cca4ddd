import { beforeAll, describe, expect, test } from 'vitest';
import { check, noFault, type Report } from '../../check/check.ts';
import { OptionsError } from '../sites.ts';
import { mutants } from './mutants.ts';
import { type GuestsOptions, guests, guestsOf } from './system.ts';

/* The counts are those of verification/README.md. */

describe('guests of one lock', () => {
  test.each<readonly [string, GuestsOptions, number]>([
    [
      'two at one member share its line, withdraw and ask again',
      { members: 1, sessions: 1, again: 1, withdraws: 1 },
      2_723,
    ],
    ['a member dies', { deaths: 1, sessions: 1 }, 28_665],
    [
      'a member has no room for the lock',
      { members: 1, sessions: 1, again: 1, withdraws: 1, refusals: 1 },
      5_706,
    ],
    ['a member loses the lock', { members: 1, sessions: 1, again: 1, revocations: 1 }, 1_572],
  ])('%s', async (_, options, states) => {
    const report = await check(guests({ ...options, liveness: true }), { liveness: true });
    expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    expect(report).toMatchObject({ complete: true, states });
  });

  test('are 1 to 9, over links', () => {
    const fifo = { order: 'fifo' } as const;
    expect(() => guestsOf({ sites: 0, network: fifo })).toThrow(OptionsError);
    expect(() => guestsOf({ sites: 2, network: { order: 'unordered' } })).toThrow(OptionsError);
    expect(guestsOf({ sites: 2, network: fifo }).name).toBe('guests');
  });
});

/** In a small system everything that a mutant breaks is found. */
const isSmall = ({ sessions, deaths = 0 }: GuestsOptions) => sessions === 1 && deaths === 0;

describe('each broken rule is refuted', () => {
  const reports = new Map<string, Report>();

  beforeAll(async () => {
    for (const [name, options] of Object.entries(mutants))
      reports.set(name, await check(guests(options), { stopAtFirst: !isSmall(options) }));
  }, 60_000);

  test('after how many steps, and what breaks first', () => {
    const lines = [...reports].map(([name, { properties }]) => {
      const violated = properties.flatMap((one) =>
        one.verdict === 'violated' && one.trace !== undefined
          ? [{ name: one.name, steps: one.trace.steps.length }]
          : [],
      );
      const steps = Math.min(...violated.map((one) => one.steps));
      const first = violated.filter((one) => one.steps === steps).map((one) => one.name);
      return `${name}: ${steps}, ${first.join(', ')}`;
    });
    expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      G1: a guest is granted before its member is inside: 4, nothing unexpected
      G1: the newest guest is served first: 8, a member grants its guests in the order in which they came
      G1: a grant that no guest waits for is kept: 11, at rest no guest waits, and no member holds the lock for one
      G1: a grant is sent to two guests: 5, a member grants its guests in the order in which they came
      G2: a grant of an earlier request is taken: 8, a guest is inside while its member is inside for it, or will hear that it is not
      G2: a request that is withdrawn keeps its place: 11, at rest no guest waits, and no member holds the lock for one
      G2: a guest that asks again keeps the critical section: 15, at rest no guest waits, and no member holds the lock for one
      G3: a guest stays inside when its session is over: 7, a guest is inside while its member is inside for it, or will hear that it is not
      G3: a grant of a session that is over is taken: 7, a guest is inside while its member is inside for it, or will hear that it is not
      G3: the end of an earlier session ends the present one: 10, a guest is inside while its member is inside for it, or will hear that it is not
      G3: a session that is over keeps its place in the line: 6, a session that is over has no place
      G3: a session that is over keeps the critical section: 8, a session that is over has no place
      G4: a guest that moves does not ask again: 2, a waiting guest is in exactly one place
      G4: a guest that moves asks under the old number: 7, a waiting guest is in exactly one place
      G5: a guest is not told that its member has lost the lock: 8, a guest is inside while its member is inside for it, or will hear that it is not
      G5: a request that comes with a release is forgotten when the lock was lost: 10, a waiting guest is in exactly one place
      G6: a guest is not told that its member has no room for the lock: 11, a waiting guest is in exactly one place
      G6: a refusal of an earlier request is taken: 25, at rest no guest waits, and no member holds the lock for one
      G6: a request that is refused keeps its place: 11, a waiting guest is in exactly one place
      "
    `);
  });

  test('and each promise by a mutant', () => {
    const all = [...reports.values()].flatMap(({ properties }) => properties);
    const refuted = new Set(all.filter(({ verdict }) => verdict === 'violated').map(({ name }) => name));
    const promised = new Set(all.filter(({ kind }) => kind === 'always').map(({ name }) => name));
    expect([...promised].filter((name) => !refuted.has(name))).toEqual([noFault.name]);
  });
});
