import { expect, it } from 'vitest';
import { changesOf } from './diff.ts';
import { Moments } from './moments.ts';
import { longRun } from './testing/long-run.ts';
import { literal, typedText } from './values.ts';

it('distinguishes values that look alike', () => {
  const alike = [[], '', null, '1', 1, {}, 'null', 'true', true, [''], [null], ['a b'], 'a'];
  expect(new Set(alike.map(literal)).size).toBe(alike.length);
  expect(alike.map(literal)).toEqual([
    '[]',
    '""',
    'null',
    '"1"',
    '1',
    '{}',
    '"null"',
    '"true"',
    'true',
    '[""]',
    '[null]',
    '["a b"]',
    'a',
  ]);
});

it('distinguishes them in the text of a message as well', () => {
  const fields = { list: [], text: '', none: null, digits: '1', count: 1, set: { a: true, b: true } };
  expect(typedText({ type: 'M', ...fields })).toBe(
    'M(list=[], text="", none=null, digits="1", count=1, set={a, b})',
  );
});

it('lists the changes of a step, by path', () => {
  const run = longRun(1);
  const context = { token: true, lease: { since: 3, peers: { a: true } } };
  const steps = [{ ...run.steps[0]!, sites: { a: { up: true, value: { client: 'inCS' }, context } } }];
  expect(changesOf(new Moments({ ...run, steps }), 1)).toEqual([
    { site: 'a', path: 'client', before: 'idle', now: 'inCS' },
    { site: 'a', path: 'lease.since', before: '', now: '3' },
    { site: 'a', path: 'lease.peers', before: '', now: '{a}' },
  ]);
});
