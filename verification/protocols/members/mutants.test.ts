import { beforeAll, expect, test } from 'vitest';
import { check, noFault, type Report } from '../../check/check.ts';
import { mutants } from './mutants.ts';
import { members } from './system.ts';

const reports = new Map<string, Report>();

beforeAll(async () => {
  for (const [name, [options, machine]] of Object.entries(mutants)) {
    reports.set(
      name,
      await check(members({ ...options, machine }), { maxStates: 100_000, stopAtFirst: true }),
    );
  }
}, 300_000);

test('each broken rule is refuted: after how many steps, and what breaks first', () => {
  const lines = [...reports].map(([name, report]) => {
    const [first] = violated(report);
    const steps = first !== undefined && 'trace' in first ? first.trace?.steps.length : undefined;
    return `${name}: ${steps ?? 'no trace'}, ${violated(report)
      .map((property) => property.name)
      .join(', ')}`;
  });
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    M1: a candidacy goes on though a newer configuration is adopted: 12, a term and version is of one configuration
    M2: a voter acknowledges in spite of a later promise: 10, no committed configuration is lost
    M2: a voter acknowledges another configuration than it holds: 8, S7
    M2: a removed site takes it for agreed on when it is told: 13, no committed configuration is lost
    M3: a vote under an older configuration: 9, S9
    M3: a term is voted for twice: 6, a term has one coordinator, a term and version is of one configuration
    M3: epochs at or below the base are voted for: 10, S2, S8
    M4: a change is begun before the own term is committed (the known bug of single-server changes): 14, S7
    M4: the base is not raised: 9, S9
    M4: the base counts no acknowledgement but the own: 9, S9
    M4: the base is of the votes that elected the coordinator: 9, S9
    M4: two voters at once: 9, S2, S8
    M4: a change is begun before the one before is committed: 5, S7
    M4: a later promise does not end the role: 13, no committed configuration is lost
    M4a: a site that joined later begins in epoch 0: 7, epoch 0 has one root
    M3: no vote is given to a candidate that alone says that it wrote the configuration again: 7, the rest can go on
    M3: a vote is given to a candidate with other voters, that is not believed: 3, M6: a site holds what a coordinator has written
    M6: a coordinator is not told that a later term was promised: 7, the rest can go on
    M1: an adopted configuration is not written down: 11, S9
    M3: a vote is not written down: 8, a term has one coordinator, a term and version is of one configuration
    an emptied disk under the old id: 8, S2, S8
    an old copy of the disk: 8, S2, S8
    M4b: a site is added that nobody has heard: 6, the rest can go on
    M6: a site takes every voter for one in reach: 11, the rest can go on
    M6: one site alone is believed though others are in reach: 2, M6: a site holds what a coordinator has written, M6: each version changes one voter at most
    M6: one site alone is believed by a REFUSE: 2, M6: a site holds what a coordinator has written
    M6: a coordinator is believed whatever it writes: 4, M6: a site holds what a coordinator has written, M6: each version changes one voter at most
    M6: a site that says it twice is taken for two: 3, M6: a site holds what a coordinator has written, M6: each version changes one voter at most
    M6: a site that says it again under another id is taken for two: 4, M6: a site holds what a coordinator has written
    "
  `);
});

test('each promise is refuted by a mutant', () => {
  const refuted = new Set([...reports.values()].flatMap(violated).map(({ name }) => name));
  const all = new Set(
    [...reports.values()]
      .flatMap(({ properties }) => properties.filter(({ kind }) => kind === 'always'))
      .map(({ name }) => name),
  );
  expect([...all].filter((name) => !refuted.has(name))).toEqual([noFault.name]);
});

/** With a trace first: where nothing is broken, and yet something never happens, there is none. */
function violated({ properties }: Report) {
  const broken = properties.filter(({ verdict }) => verdict === 'violated');
  const traced = broken.filter((property) => 'trace' in property && property.trace !== undefined);
  return traced.length > 0 ? traced : broken;
}
