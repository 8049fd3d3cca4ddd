import { expect, test } from 'vitest';
import { check, type Report } from '../../check/check.ts';
import { siteNames } from '../sites.ts';
import { mutants } from './mutants.ts';
import { boundedAcrossEpochs, overtakingByEpoch } from './overtaking.ts';
import { epochOvertaking } from './system.ts';

const oneChange = { sites: 3, network: { order: 'fifo' }, changes: 1 } as const;

const violated = ({ properties }: Report) =>
  properties.flatMap(({ name, verdict, trace }) =>
    verdict === 'violated' ? [`${name}: ${trace?.steps.length}`] : [],
  );

test('within an epoch a request in the line of the token is overtaken by at most N - 1 entries, though the epoch changes', async () => {
  const report = await check(epochOvertaking(oneChange));
  expect(report).toMatchObject({ states: 68_215, complete: true });
  expect(violated(report)).toEqual([]);
});

test('that holds though any site crashes', async () => {
  const report = await check(epochOvertaking({ ...oneChange, crashes: 'all' }));
  expect(report).toMatchObject({ states: 195_764, complete: true });
  expect(violated(report)).toEqual([]);
});

test('a line of the token that goes before the own line breaks that bound, too', async () => {
  const [, machine] = mutants['R12: entries of the token go before the own line']!;
  expect(violated(await check(epochOvertaking({ ...oneChange, machine }), { stopAtFirst: true }))).toEqual([
    'bounded overtaking: 11',
  ]);
});

test('the entries of two epochs together have no such bound', async () => {
  const system = epochOvertaking(oneChange);
  const history = overtakingByEpoch(siteNames(oneChange), 2, true);
  const across = { ...system, history, properties: [boundedAcrossEpochs(2)] };
  const report = await check(across, { stopAtFirst: true });
  expect(violated(report)).toEqual(['bounded overtaking across epochs: 11']);
});
