import { describe, expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import type { Action, PropertyResult } from '../../system/system.ts';
import { OptionsError } from '../sites.ts';
import { sketch } from './system.ts';

const report = await check(sketch({ sites: 3, network: { order: 'fifo' } }));

function result(name: string): PropertyResult {
  const found = report.properties.find((property) => property.name === name);
  if (found === undefined) throw new Error(`There is no property '${name}'.`);
  return found;
}

test('all states are explored', () => {
  expect(report).toMatchObject({ complete: true, states: 277_755, transitions: 1_081_365 });
});

test('the sketch keeps mutual exclusion, as long as it lets any site in', () => {
  expect(report.properties.filter(({ verdict }) => verdict === 'holds').map(({ name }) => name)).toEqual([
    'no machine fails',
    'mutual exclusion',
    'nothing unexpected',
  ]);
});

describe('every other expectation is refuted: the length of its shortest trace', () => {
  test.each([
    ['no request is lost while all stay', 5],
    ['a site that is next waits', 5],
    ['a site that takes itself for the root has the token or waits for it', 0],
    ['only a site that has the token or waits for it has a next', 16],
    ['next is never overwritten', 5],
    ['an idle root hands the token on at once', 2],
    ['nobody enters unasked', 1],
    ['quitting hands the token on', 1],
    ['quitting hands the queue on', 3],
    ['a site that asks where the token is enters', 3],
    ['a site has one request under way', 2],
    ['the token is in one place', 5],
    ['the token is not lost while all stay', 15],
    ['nobody waits once nothing moves, while all stay', 15],
  ])('%s: %i', (name, steps) => {
    const found = result(name);
    expect(found).toMatchObject({ verdict: 'violated' });
    expect(found.trace?.steps).toHaveLength(steps);
  });

  test('with the function of the sketch that is at fault', () => {
    expect(result('no request is lost while all stay')).toMatchObject({
      reason: expect.stringMatching(/^handlemessage: the origin of a forwarded request/),
    });
  });
});

describe('the shortest trace shows the fault', () => {
  const told = (name: string) => result(name).trace?.steps.map(({ action }) => describeAction(action));

  test('a request is forwarded, and its origin forgotten', () => {
    const trace = result('no request is lost while all stay').trace!;
    const forwarded = trace.steps.at(-1)!.action;
    expect(forwarded).toMatchObject({ kind: 'deliver', message: { type: 'TOKENREQUEST' } });
    const { actor, source, message } = forwarded as Extract<Action, { kind: 'deliver' }>;
    expect(message).not.toMatchObject({ port: source });
    expect(trace.steps.at(-1)!.state[actor]).toMatchObject({ context: { next: source } });
  });

  test('a quits with the token', () => {
    expect(told('quitting hands the token on')).toEqual(['a quit']);
  });

  test('the token is sent, and still there', () => {
    expect(told('the token is in one place')?.at(-1)).toBe('a sendToken');
  });

  test('a enters without a request; after a request it does not', () => {
    expect(told('nobody enters unasked')).toEqual(['a enter']);
    expect(told('a site that asks where the token is enters')).toEqual(['a enter', 'a exit', 'a ask']);
  });
});

test('a network that does not tell which site delivered a message is refused', () => {
  const make = () => sketch({ sites: 2, network: { order: 'unordered-by-target' } });
  expect(make).toThrow(OptionsError);
});

function describeAction(action: Action): string {
  return action.kind === 'environment'
    ? `${action.actor} ${action.event.type}`
    : `${action.kind} to ${action.actor}`;
}
