import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import type { System } from '../system/system.ts';
import { abd } from './abd.ts';
import { cache, msi } from './msi.ts';
import { paxos } from './paxos.ts';
import { memory, peterson } from './peterson.ts';
import { raftElection } from './raft-election.ts';
import { singleCopyRegister } from './single-copy-register.ts';

/* The counts that others have published for the same models, and for each a mistake that its property refutes. */

describe('as published', () => {
  test.each<[string, System, object]>([
    ['a register of one server has 93 states, by Stateright', singleCopyRegister(), { states: 93 }],
    ['ABD of two replicas has 544, by Stateright', abd(), { states: 544 }],
    ['Paxos of three servers and two clients has 16,668, by Stateright', paxos(), { states: 16_668 }],
    ['Peterson has 20', peterson, { states: 20 }],
    ['MSI of three caches has 3 + 2^3', msi(), { states: 11 }],
    ['MSI of six caches has 6 + 2^6', msi({ caches: 6 }), { states: 70 }],
  ])('%s', async (_, system, counts) => {
    const report = await check(system);
    expect(report).toMatchObject(counts);
    for (const { verdict } of report.properties) expect(verdict).toBe('holds');
  });

  test("Raft's election is safe within the terms that are looked at, and says so", async () => {
    const { properties, cut } = await check(raftElection());
    expect(cut).toBeGreaterThan(0);
    expect(properties.map(({ verdict }) => verdict)).toEqual([
      'holds within the constraint',
      'holds within the constraint',
      'holds',
      'holds',
    ]);
  });
});

describe('refutes', () => {
  /** The system with an actor that crashes once, and has then forgotten all. */
  const forgetting = (system: System, id: string): System => {
    const actor = { ...system.actors[id]!, crash: { times: 1 } };
    const restart = { input: () => actor.input };
    return { ...system, actors: { ...system.actors, [id]: { ...actor, restart } } };
  };
  /** The servers hear of nothing that others have stored. */
  const deaf = (system: System): System => {
    const actors = Object.entries(system.actors).map(([id, actor]) => [
      id,
      {
        ...actor,
        ...(actor.deliver && {
          deliver: (message: object, from: string | null) => ({ ...message, seq: [0, ''], from }),
        }),
      },
    ]);
    return { ...system, actors: Object.fromEntries(actors) };
  };
  test.each<[string, System, string]>([
    ['two servers that know nothing of each other', singleCopyRegister({ servers: 2 }), 'linearizable'],
    ['replicas that learn nothing from each other', deaf(abd()), 'linearizable'],
    ['an acceptor that forgets', forgetting(paxos(), 'server 1'), 'linearizable'],
    ['a vote that is not on the disk', forgetting(raftElection(), 'site 1'), 'at most one leader in a term'],
    [
      'a process that does not wait',
      peterson.edited(memory, ({ remove }) => remove('on.enter.guard')),
      'never both inside',
    ],
    [
      'a cache that does not hear of writes',
      msi().edited(cache, ({ replace }) => replace('shared.on.busWrite', {})),
      'one writer, and then no reader',
    ],
  ])('%s', async (_, system, name) => {
    const { properties } = await check(system, { stopAtFirst: true });
    expect(properties.find((one) => one.name === name)).toMatchObject({ verdict: 'violated' });
  });
});

test('each model has fewer than 60 lines', () => {
  const published = [
    'two-phase-commit',
    'single-copy-register',
    'abd',
    'paxos',
    'raft-election',
    'peterson',
    'msi',
  ];
  const folder = new URL('.', import.meta.url);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(published.map((name) => `${name}.ts`)));
  const lines = published.map((name) => {
    const text = readFileSync(new URL(`${name}.ts`, folder), 'utf8');
    const code = text.replace(/^ *\/\*\*.*?\*\/\n|^ *\/\/.*\n/gms, '').split('\n');
    return [name, code.filter((line) => line.trim() !== '').length] as const;
  });
  expect(lines.filter(([, count]) => count >= 60)).toEqual([]);
});
