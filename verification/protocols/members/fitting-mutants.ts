import { type AnyStateMachine, assign } from 'xstate';
import {
  type FittingContext,
  type FittingEvent,
  fittingMachine,
  vacanciesOf,
} from '../../../machines/members/fitting.ts';
import { editorOf } from '../../system/edit.ts';
import type { FittingOptions } from './fitting.ts';

/* A process that fits, with one of the rules M10 to M12 of protocol.md broken in each, and the smallest system that shows it. */

type At = { readonly context: FittingContext; readonly event: FittingEvent };

const { replace, remove, part } = editorOf(fittingMachine);
const guards = (named: Readonly<Record<string, (at: At) => boolean>>): AnyStateMachine =>
  fittingMachine.provide({ guards: named as object });

const two: FittingOptions = { processes: ['a', 'b'], size: 2 };
const oneLeaves: FittingOptions = { ...two, leavers: ['a'] };
const handedOn: FittingOptions = { processes: ['a', 'b', 'c'], size: 1, leavers: ['a'] };
/** The first starts when the founder is shown no more, and its guest tells of it. */
const startsLate: FittingOptions = { ...handedOn, founder: 'b', leavers: ['b'], later: ['a'] };
/** The lock goes from a to c to d, while b looks. */
const chain: FittingOptions = {
  ...{
    processes: ['a', 'b', 'c', 'd'],
    size: 1,
    founder: 'a',
    leavers: ['a', 'c'],
    lookers: ['b'],
    shownToEnd: true,
  },
  calls: { b: ['a', 'c', 'd'], c: ['a'], d: ['c'] },
};
const withMutant = (options: FittingOptions, machine: AnyStateMachine): FittingOptions => ({
  ...options,
  machine,
});

const answerFree = part('alone.looking.on.called.1');

/** Refuted among four processes alone, in millions of states. */
export const slowMutant = 'M10: a process that has ended between the rounds counts as none';

export const fittingMutants: Readonly<Record<string, FittingOptions>> = {
  'M10: a process founds though it is not the first': withMutant(
    two,
    guards({ isBehind: ({ event }) => event.type === 'tried' && event.result !== 'unknown' }),
  ),
  'M10: an address without an answer counts as one without a process': withMutant(
    two,
    guards({
      isBehind: ({ context: { own }, event }) =>
        event.type === 'tried' && (event.result !== 'free' || event.address > own!),
    }),
  ),
  'M10: one round is enough': withMutant(handedOn, guards({ isSecondRound: () => true })),
  [slowMutant]: withMutant(chain, guards({ hasEnded: () => false })),
  'M10: a process that starts between the calls is not heeded': withMutant(
    { processes: ['a', 'b', 'c'], size: 2, later: ['a'] },
    guards({ hasStarted: () => false }),
  ),
  'M10: a process that knows of a member says that it is free': withMutant(
    startsLate,
    replace('on.called', answerFree),
  ),
  'M10: a process that waits for the end of a member says that it is free': withMutant(
    { ...startsLate, late: true },
    replace('alone.waiting.on.called', answerFree),
  ),
  'M10: a process that has met a member does not wait for its end': withMutant(
    { ...oneLeaves, founder: 'a', late: true },
    fittingMachine.provide({ actions: { attach: assign({ isAttached: true }) } }),
  ),
  'M10: a process that is shown no more counts as one that has ended': withMutant(
    { ...handedOn, founder: 'a', leavers: ['a', 'b'] },
    fittingMachine.provide({ actions: { heedMissing: () => {} } }),
  ),
  'M11: a process that is invited does not ask': withMutant(two, remove('attached.on.invited')),
  'M11: a member invites nobody': withMutant(two, remove('member.on.inviteDue')),
  'M12: a member that leaves makes no room for another': withMutant(
    { processes: ['a', 'b'], size: 1, leavers: ['a'] },
    remove('member.leaving.entry.0'),
  ),
  'M12: a member leaves though a guest could take its place': withMutant(
    oneLeaves,
    guards({ hasHeirs: () => false }),
  ),
  'M12: a member leaves a guest that discovery does not show': withMutant(
    { ...two, leavers: ['a', 'b'] },
    guards({ isAlone: ({ context }) => context.others.length === 0 }),
  ),
  'M12: a member that joined while it was to end counts as the successor of all, and of itself': withMutant(
    { ...handedOn, founder: 'a', leavers: ['a', 'b'] },
    guards({ isReplaced: ({ context }) => vacanciesOf(context) === 0 }),
  ),
  'M12: a process that has asked to become a member ends at once': withMutant(
    { ...two, leavers: ['a', 'b'] },
    replace('asking.on.leave', 'left'),
  ),
};
