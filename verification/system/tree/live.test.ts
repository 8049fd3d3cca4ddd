import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Difference, follow } from './testing/live-app.ts';
import { type App, apps } from './testing/trees.ts';

async function compare(app: App, live: App, numRuns: number): Promise<number> {
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(1_000), { minLength: 4, maxLength: 14, size: 'max' }),
      async (choices) => {
        steps += await follow(app, live, choices);
      },
    ),
    { numRuns },
  );
  return steps;
}

test.each(Object.entries(apps))('%s: a tree takes every step as live actors do', async (_, app) => {
  expect(await compare(app, app, 150)).toBeGreaterThan(700);
});

const { fetching, list, socket } = apps as Required<typeof apps>;
const silent = { ...socket!, outcomes: { socket: { sends: [{ type: 'data' }] } } };
const patient = {
  ...fetching!,
  machine: fetching!.machine.provide({ guards: {}, delays: { retry: undefined } } as never),
};
const deaf = { ...list!, machine: list!.machine.provide({ actors: { item: socket!.machine } } as never) };

test.each([
  ['a callback that does not send as it starts', silent, socket!],
  ['a delay that is none', patient, fetching!],
  ['another child', { ...deaf, outcomes: { ...list!.outcomes, ...socket!.outcomes } }, list!],
])('%s is told from live actors', async (_, app, live) => {
  await expect(compare(app, live, 150)).rejects.toMatchObject({ cause: expect.any(Difference) });
});
