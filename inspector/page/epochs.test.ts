import { expect, it } from 'vitest';
import type { SiteState, TimelineStep } from '../../verification/timeline/format.ts';
import { changeText, epochsOf, firstEpoch } from './epochs.ts';
import { Moments } from './moments.ts';
import { longRun } from './testing/long-run.ts';

const following = (epoch: number, root: string): SiteState => ({
  up: true,
  value: { epoch: 'following' },
  context: { epoch, root },
});

function step(site: string, more: Partial<TimelineStep>): TimelineStep {
  const none = { event: null, message: null, effects: [], taken: [], sites: {}, verdicts: {} };
  return { kind: 'deliver', site, text: '', ...none, ...more };
}

it('tells of each epoch which site was lost, which stood, and which voted', () => {
  const run = longRun(0, ['a', 'b', 'c']);
  const start = { ...run.start, sites: { a: following(0, 'b'), b: following(0, 'b'), c: following(0, 'b') } };
  const vote = (voter: string) => ({ event: { type: 'VOTE', epoch: 1, voter } });
  const steps = [
    step('b', { kind: 'crash', sites: { b: { up: false, value: null, context: {} } } }),
    step('c', { kind: 'environment', event: { type: 'suspect' } }),
    step('c', { ...vote('a'), sites: { c: following(1, 'c') } }),
    step('a', { sites: { a: following(1, 'c') } }),
  ];
  const epochs = epochsOf(new Moments({ ...run, start, steps, messages: [] }));
  expect(epochs.map(({ epoch, moment, site }) => [epoch, moment, site])).toEqual([[1, 3, 'c']]);
  expect(changeText(epochs[0]!)).toBe('b was lost; c stood for election; votes of a; the token begins at c');
  expect(firstEpoch(new Moments({ ...run, start, steps, messages: [] }))).toEqual({ epoch: 0, cause: null });
});

it('tells the grounds of a candidacy where the run knows them', () => {
  const run = longRun(0, ['a', 'b', 'c']);
  const start = { ...run.start, sites: { a: following(4, 'b'), b: following(4, 'b'), c: following(4, 'b') } };
  const because = { reason: 'patience', down: { b: 'silent' } };
  const steps = [
    step('c', { kind: 'environment', event: { type: 'suspect', because } }),
    step('c', { sites: { c: following(5, 'c') } }),
  ];
  const moments = new Moments({ ...run, start, steps, messages: [] });
  expect(epochsOf(moments).map(changeText)).toEqual([
    'b is down: it is silent; c stood for election: its callers had waited for long, and a site was down; the token begins at c',
  ]);
  expect(firstEpoch(moments)).toEqual({ epoch: 4, cause: null });
});

it('tells of a watched run which site does not answer any more', () => {
  const run = longRun(0, ['a', 'b', 'c']);
  const start = { ...run.start, sites: { a: following(0, 'b'), b: following(0, 'b'), c: following(0, 'b') } };
  const steps = [
    step('a', { kind: 'unseen', sites: { a: { ...following(0, 'b'), unseen: true } } }),
    step('b', { kind: 'gone', sites: { b: { ...following(0, 'b'), unseen: true } } }),
    step('c', { sites: { c: following(1, 'c') } }),
  ];
  const epochs = epochsOf(new Moments({ ...run, start, steps, messages: [] }));
  expect(changeText(epochs[0]!)).toBe('b does not answer any more; the token begins at c');
});

it('tells the cause of epochs that began before the run, or unseen, as the sites remember it', () => {
  const run = longRun(0, ['a', 'c']);
  const stood = (epoch: number, reason: string) => ({
    epoch,
    at: 5,
    because: { reason, down: { b: 'closed' } },
  });
  const start = {
    ...run.start,
    sites: { a: following(4, 'c'), c: { ...following(4, 'c'), stood: stood(4, 'death') } },
  };
  const steps = [
    step('c', { kind: 'seen', sites: { c: { ...following(6, 'a'), stood: stood(5, 'death') } } }),
    step('a', { kind: 'seen', sites: { a: { ...following(6, 'a'), stood: stood(6, 'patience') } } }),
  ];
  const moments = new Moments({ ...run, start, steps, messages: [] });
  expect(firstEpoch(moments)).toEqual({
    epoch: 4,
    cause: 'b is down: it has closed; c stood for election: its callers waited, and a site had died',
  });
  expect(epochsOf(moments).map(changeText)).toEqual([
    'b is down: it has closed; a stood for election: its callers had waited for long, and a site was down; the token begins at a',
  ]);
});

it('finds no epoch in a run of one', () => {
  expect(epochsOf(new Moments(longRun(20)))).toEqual([]);
  expect(firstEpoch(new Moments(longRun(20)))).toBe(null);
});
