import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  uniqueArray,
} from 'fast-check';
import { describe, expect, test } from 'vitest';
import { start, take } from '../../statechart/xstate.ts';
import { breachBy, breachOf, mayLeadBack, mostCount, mostEpochsAhead } from './breach.ts';
import { brokenInvariant, type SiteView } from './invariants.ts';
import type { ClientEvent, EpochEffect, MembersChange, SiteMessage, TimeEvent } from './messages.ts';
import { type SiteEvent, type SiteInput, siteMachine } from './site.ts';

const b = { self: 'b', epoch: 3, root: 'a', promised: 4, line: ['d'], token: false };

describe('breachOf', () => {
  const most = 4 + mostEpochsAhead;
  const breaches: readonly (readonly [SiteMessage, string])[] = [
    [{ type: 'NEW', epoch: Number.MAX_SAFE_INTEGER, root: 'a' }, 'an epoch of at most'],
    [{ type: 'VOTE_REQUEST', epoch: most + 1, candidate: 'a', term: 0, version: 1 }, 'an epoch of at most'],
    [{ type: 'REFUSE', epoch: 3, root: 'a', promise: most + 1 }, 'an epoch of at most'],
    [{ type: 'TOKEN', epoch: 3, root: 'b', k: 1, line: [] }, 'expected a as the root of epoch 3, got b'],
    [{ type: 'TOKEN', epoch: 3, root: 'a', k: mostCount + 1, line: [] }, 'a number of at most'],
    [{ type: 'REQUEST', epoch: 3, root: 'a', origin: 'b' }, 'got one of b itself'],
    [{ type: 'REQUEST', epoch: 3, root: 'a', origin: 'd' }, 'one request of d in epoch 3'],
    [{ type: 'TOKEN', epoch: 3, root: 'a', k: 1, line: ['c', 'd'] }, 'one request of d in epoch 3'],
    [{ type: 'TOKEN', epoch: 3, root: 'a', k: 1, line: ['c', 'b'] }, 'expected a line without b'],
    [{ type: 'VOTE_REQUEST', epoch: 5, candidate: 'c', term: 0, version: 1 }, 'as the sender, got c'],
    [{ type: 'VOTE', epoch: 4, voter: 'c', holds: null }, 'as the sender, got c'],
    [{ type: 'VOTE', epoch: 4, voter: 'a', holds: 4 }, 'a token of an epoch before 4'],
    [
      { type: 'HEARTBEAT', epoch: 3, root: 'a', origin: 'c', round: 1, stays: true, term: 0, version: 1 },
      'as the sender, got c',
    ],
    [
      {
        type: 'HEARTBEAT',
        epoch: 3,
        root: 'a',
        origin: 'a',
        round: mostCount + 1,
        stays: true,
        term: 0,
        version: 1,
      },
      'a number of at most',
    ],
    [{ type: 'PROMISE', epoch: 3, root: 'a', voter: 'c', round: 1 }, 'as the sender, got c'],
    [{ type: 'FORGET', epoch: 3, root: 'a', from: 'c' }, 'as the sender, got c'],
  ];
  test.each(breaches)('%j is a breach', (message, why) => {
    expect(breachOf(message, 'a', b)).toContain(why);
  });

  const correct: readonly SiteMessage[] = [
    { type: 'NEW', epoch: most, root: 'c' },
    { type: 'VOTE_REQUEST', epoch: most, candidate: 'a', term: 0, version: 1 },
    { type: 'REQUEST', epoch: 3, root: 'a', origin: 'c' },
    { type: 'TOKEN', epoch: 3, root: 'a', k: 7, line: ['c', 'e'] },
    { type: 'REQUEST', epoch: 4, root: 'a', origin: 'd' },
    { type: 'TOKEN', epoch: 2, root: 'c', k: 7, line: [] },
    { type: 'VOTE', epoch: 4, voter: 'a', holds: 3 },
    { type: 'PROMISE', epoch: 3, root: 'a', voter: 'a', round: 1 },
    { type: 'REFUSE', epoch: 3, root: 'c', promise: 9 },
    { type: 'NEW', epoch: 3, root: 'c' },
    { type: 'FORGET', epoch: 3, root: 'a', from: 'a' },
  ];
  test('FORGET of an epoch is a breach at the site that has its token', () => {
    const message = { type: 'FORGET', epoch: 3, root: 'a', from: 'a' } as const;
    expect(breachOf(message, 'a', { ...b, token: true })).toContain('which is here');
  });

  test.each(correct)('%j is no breach', (message) => {
    expect(breachOf(message, 'a', b)).toBeNull();
  });
});

/** The events that a peer, the client and the clock may bring. */
const site = constantFrom('a', 'b', 'c');
const number = oneof(integer({ min: 0, max: 4 }), constantFrom(mostCount, Number.MAX_SAFE_INTEGER));
const of = { epoch: number, root: site };
const under = { term: constantFrom(0), version: constantFrom(1, 2) };
const message = oneof(
  record({ type: constantFrom('REQUEST' as const), ...of, origin: site }),
  record({ type: constantFrom('TOKEN' as const), ...of, k: number, line: uniqueArray(site) }),
  record({ type: constantFrom('NEW' as const), ...of }),
  record({ type: constantFrom('VOTE_REQUEST' as const), epoch: number, candidate: site, ...under }),
  record({
    type: constantFrom('VOTE' as const),
    epoch: number,
    voter: site,
    holds: oneof(constantFrom(null), number),
  }),
  record({ type: constantFrom('REFUSE' as const), ...of, promise: number }),
  record({
    type: constantFrom('HEARTBEAT' as const),
    ...{ ...of, ...under },
    origin: site,
    round: number,
    stays: boolean(),
  }),
  record({ type: constantFrom('PROMISE' as const), ...of, voter: site, round: number }),
);
const client = record({
  type: constantFrom<ClientEvent['type']>(
    'ask',
    'release',
    'releaseAndAsk',
    'again',
    'try',
    'withdraw',
    'suspect',
  ),
});
const time = oneof(
  record({ type: constantFrom('heartbeat' as const) }),
  record({ type: constantFrom('leaseOver' as const), epoch: number, round: number }),
  record({ type: constantFrom('promiseOver' as const) }),
);
const change = record({
  type: constantFrom('configured' as const),
  term: constantFrom(0),
  version: constantFrom(1, 2),
  base: constantFrom(0, 2),
  voters: constantFrom({ a: true, b: true, c: true } as const, { b: true, c: true } as const),
  joins: boolean(),
});
const happening = oneof(
  { weight: 3, arbitrary: record({ source: constantFrom('a', 'c'), event: message }) },
  { weight: 2, arbitrary: record({ source: constantFrom(null), event: client }) },
  { weight: 1, arbitrary: record({ source: constantFrom(null), event: time }) },
  { weight: 1, arbitrary: record({ source: constantFrom(null), event: change }) },
);

type Happening = {
  readonly source: string | null;
  readonly event: SiteMessage | ClientEvent | MembersChange | TimeEvent;
};

const stateOf = ({ value, context }: { readonly value: unknown; readonly context: unknown }) =>
  JSON.stringify([value, context]);

/**
 * Returns the rule that the site breaks in this sequence of events, or `null`. `refuses`: whether breaches
 * are refused.
 */
function brokenBy(input: SiteInput, happenings: readonly Happening[], refuses = true): string | null {
  let { snapshot } = start(siteMachine, input);
  for (const { source, event } of happenings) {
    if (refuses && source !== null && breachOf(event as SiteMessage, source, snapshot.context) !== null)
      continue;
    const step = take(siteMachine, snapshot, event as SiteEvent);
    const effects = step.effects as unknown as readonly EpochEffect[];
    if (effects.some(({ type }) => type === 'unexpected')) {
      if (stateOf(step.snapshot) !== stateOf(snapshot))
        return `${JSON.stringify(event)} is unexpected, and moves the site`;
      continue;
    }
    if (refuses && source !== null && breachBy(effects) !== null) {
      if (!mayLeadBack(event as SiteMessage, snapshot.context))
        return `${JSON.stringify(event)} leads back unforeseen`;
      continue;
    }
    snapshot = step.snapshot;
    const broken = brokenInvariant(snapshot as unknown as SiteView);
    if (broken !== null) return `${broken} after ${JSON.stringify(event)}`;
  }
  return null;
}

const plain: SiteInput = { self: 'b', founder: 'a', voters: ['a', 'b', 'c'], disk: 'none' };

test.each([
  ['without leases', {}],
  ['that founds epoch 0', { founder: 'b' }],
  ['in strict mode', { strict: true }],
  ['in strict mode that founds', { founder: 'b', strict: true }],
  ['that has crashed', { disk: { promised: 2, epoch: 1, root: 'b' } }],
] as const)('no words of peers have a site %s break a rule that it can see', (_, change) => {
  const input: SiteInput = { ...plain, ...change };
  assert(
    property(array(happening, { maxLength: 40 }), (happenings) => {
      expect(brokenBy(input, happenings as readonly Happening[])).toBeNull();
    }),
    { numRuns: 1_000 },
  );
});

test('control: a breach that is taken breaks an invariant', () => {
  const back: SiteMessage = { type: 'REQUEST', epoch: 0, root: 'b', origin: 'b' };
  const happenings = [{ source: 'a', event: back }];
  expect(brokenBy({ ...plain, founder: 'b' }, happenings)).toBeNull();
  expect(brokenBy({ ...plain, founder: 'b' }, happenings, false)).toContain('last and line name other sites');
});
