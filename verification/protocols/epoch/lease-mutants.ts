import { type AnyStateMachine, and, assign } from 'xstate';
import type { SiteMessage } from '../../../machines/epoch/messages.ts';
import { type SiteContext, type SiteEvent, siteMachine } from '../../../machines/epoch/site.ts';
import { editorOf } from '../../system/edit.ts';
import type { ActorSpec, System } from '../../system/system.ts';
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

/** The system of a mutant (one of three sites never asks), and the messages that it reads and the real one ignores. */
interface Place extends Partial<EpochOptions> {
  readonly heeds?: SiteMessage['type'];
}

const atEntry: Place = { crashes: 'none' };

export function strictWith(machine: AnyStateMachine, { heeds, ...place }: Place): System {
  const system = epochStrict({ sites: 3, network: { order: 'fifo' }, refusals: 'none', machine, ...place });
  const smaller = (id: string, { dead, environment, ...actor }: ActorSpec): ActorSpec => ({
    environment: environment!,
    ...actor,
    dead: (message, view) => message.type !== heeds && dead!(message, view),
    ...(id === 'c' ? { environment: environment!.filter(({ event }) => event.type !== 'ask') } : {}),
  });
  const actors = Object.entries(system.actors).map(([id, actor]) => [id, smaller(id, actor)] as const);
  return { ...system, actors: Object.fromEntries(actors) };
}

export const leaseMutants: Readonly<Record<string, readonly [Place, AnyStateMachine]>> = {
  'a voter does not wait': [{ ...atEntry, heeds: 'VOTE_REQUEST' }, remove('epoch.on.VOTE_REQUEST.0')],
  'a candidate does not wait': [atEntry, remove('epoch.on.suspect.0')],
  'a restarted site does not wait': [{ restart: 'with disk' }, remove('lease.placing.always.0')],
  'the lease counts from the promise, not from its heartbeat': [
    atEntry,
    replace('lease.on.PROMISE.0.actions', timedByPromises),
  ],
  'the promise does not count from the heartbeat': [atEntry, remove('lease.on.HEARTBEAT.actions.0')],
  'a voter promises to the epoch before': [
    { ...atEntry, heeds: 'HEARTBEAT' },
    replace('lease.on.HEARTBEAT.guard', 'mayPromise'),
  ],
  'a promise alone is a lease': [
    atEntry,
    guards({ majorityPromised: ({ context: { lease } }) => lease !== null && lease.promises !== null }),
  ],
  'promises of the round before count': [
    { ...atEntry, renews: 'founder', heeds: 'PROMISE' },
    guards({
      ofOpenRound: ({ context: { lease }, event }) =>
        event.type === 'PROMISE' && lease !== null && lease.promises !== null,
    }),
  ],
  'a round counts when its time is over': [
    atEntry,
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
  'a site without a lease tries, and enters': [
    { ...atEntry, inARow: 1 },
    replace('client.idle.on.try.0.guard', and(['following', 'tokenHere'])),
  ],
  'a site without a lease enters': [atEntry, guards({ mayEnter: () => true })],
  'a site whose lease is over stays': [atEntry, remove('client.inCS.always')],
};
