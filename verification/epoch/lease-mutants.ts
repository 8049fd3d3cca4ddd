import { type AnyStateMachine, assign } from 'xstate';
import { type SiteContext, type SiteEvent, siteMachine } from '../../machines/epoch/site.ts';
import { editorOf } from '../edit.ts';
import type { System } from '../system/system.ts';
import { type EpochOptions, epochStrict } from './system.ts';

/* The site machine with one rule of strict mode broken in each: see `mutants.ts`. */

const { part, replace, remove } = editorOf(siteMachine);

type At = { readonly context: SiteContext; readonly event: SiteEvent };

const guards = (named: Readonly<Record<string, (at: At) => boolean>>): AnyStateMachine =>
  siteMachine.provide({ guards: named as object });

/** To count a promise, and to take the time anew. */
const timedByPromises = [
  part('lease.on.PROMISE.0.actions'),
  ...(part('lease.on.heartbeat.2.actions') as readonly { readonly type?: string }[]).filter(
    ({ type }) => type === 'leaseTimer',
  ),
];

export type LeasePlace = 'at entry' | 'renewed' | 'restarted';

const places: Readonly<Record<LeasePlace, Partial<EpochOptions>>> = {
  'at entry': { crashes: 'none', keepDead: true },
  renewed: { crashes: 'none', keepDead: true, renews: 'founder' },
  restarted: { restart: 'with disk', keepDead: true },
};

export function strictWith(machine: AnyStateMachine, place: LeasePlace): System {
  return epochStrict({ sites: 3, network: { order: 'fifo' }, machine, ...places[place] });
}

export const leaseMutants: Readonly<Record<string, readonly [LeasePlace, AnyStateMachine]>> = {
  'a voter does not wait': ['at entry', remove('epoch.on.VOTE_REQUEST.0')],
  'a candidate does not wait': ['at entry', remove('epoch.on.suspect.0')],
  'who restarts does not wait': ['restarted', remove('lease.placing.always.0')],
  'the lease counts from the promise, not from its heartbeat': [
    'at entry',
    replace('lease.on.PROMISE.0.actions', timedByPromises),
  ],
  'the promise does not count from the heartbeat': ['at entry', remove('lease.on.HEARTBEAT.actions.0')],
  'who voted promises to the epoch before': ['at entry', replace('lease.on.HEARTBEAT.guard', 'mayPromise')],
  'a promise alone is a lease': [
    'at entry',
    guards({ majorityPromised: ({ context: { lease } }) => lease !== null && lease.promises !== null }),
  ],
  'promises of the round before count': [
    'renewed',
    guards({
      ofOpenRound: ({ context: { lease }, event }) =>
        event.type === 'PROMISE' && lease !== null && lease.promises !== null,
    }),
  ],
  'a round counts when its time is over': [
    'at entry',
    siteMachine.provide({
      actions: {
        endRound: assign((at, params) => {
          const { lease } = (at as unknown as At).context;
          const { round } = params as unknown as { readonly round: number };
          return { lease: { ...lease!, since: lease!.since === round ? null : lease!.since } };
        }),
      },
    }),
  ],
  'who has no lease enters': ['at entry', guards({ mayEnter: () => true })],
  'who has no lease any more stays': ['at entry', remove('client.inCS.always')],
};
