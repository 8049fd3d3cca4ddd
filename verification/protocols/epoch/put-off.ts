import { type AnyStateMachine, createMachine } from 'xstate';
import { type SiteInput, siteMachine } from '../../../machines/epoch/site.ts';
import { setOf } from '../../../machines/epoch/variables.ts';
import { deliveries, events, leadsTo, reachable, some, weakly } from '../../system/properties.ts';
import type { ActorSpec, ActorView, System } from '../../system/system.ts';
import { leaseOf, promiseOf, site } from './observed.ts';

/*
 * A voter that a promise binds puts off a candidacy, its own or another one's, and owes a vote or a candidacy then (protocol.md, strict mode). Meanwhile
 * the voters may change. The trigger of elections tells a site once of each death: a suspicion that is forgotten does not come again.
 */

const voter = 'b';
const others = ['a', 'c'];
const voters = [voter, ...others];

/** Site b, which hears from the others in any order, and the sites that hear from it. */
export function putOffCandidacies(machine: AnyStateMachine = siteMachine): System {
  const input: SiteInput = { self: voter, founder: 'a', voters, disk: 'none', strict: true };
  const once = { times: 1 } as const;
  const isIn = (version: number) => (actor: ActorView) => site(actor).context.membership.version === version;
  const first = { term: 0, version: 1 };
  const second = { term: 1, version: 2 };
  const bound = (actor: ActorView) => actor.in('lease.bound');
  const heartbeat = { type: 'HEARTBEAT', epoch: 0, root: 'a', origin: 'a', round: 1, stays: true };
  const spec: ActorSpec = {
    machine,
    input,
    environment: [
      { event: { ...heartbeat, ...first } as never, when: isIn(1), ...once },
      { event: { type: 'VOTE_REQUEST', epoch: 1, candidate: 'c', ...first } as never, ...once },
      { event: { type: 'suspect' }, ...once },
      {
        event: { type: 'configured', ...second, base: 0, voters: setOf([voter, 'a']), joins: false } as never,
        when: isIn(1),
      },
      { event: { type: 'promiseOver' }, when: bound },
    ],
  };
  const silent: ActorSpec = { machine: createMachine({ on: { '*': {} } }) };
  const putOff = some((actor) => actor.id === voter && leaseOf(actor).putOff !== null);
  return {
    name: 'epoch-put-off',
    actors: { [voter]: spec, ...Object.fromEntries(others.map((id) => [id, silent])) },
    network: { order: 'fifo' },
    outside: [
      'grant',
      'lost',
      'elected',
      'unexpected',
      'promiseTimer',
      'promiseEnded',
      'leaseTimer',
      'leased',
    ],
    properties: [
      reachable('a candidacy is put off', putOff),
      leadsTo(
        'a site that put a candidacy off votes or stands when its promise is over',
        putOff,
        some((actor) => actor.id === voter && promiseOf(actor) > 0),
        weakly(deliveries, events('promiseOver')),
      ),
    ],
  };
}
