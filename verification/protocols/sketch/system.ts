import type { SiteId } from '../../../machines/actor.ts';
import { type SketchMessage, waitMessage } from '../../../machines/sketch/messages.ts';
import { sketchMachine } from '../../../machines/sketch/site.ts';
import type { ActorSpec, ActorView, EnvironmentEvent, System } from '../../system/system.ts';
import { type Options, OptionsError, siteNames } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';
import { properties, site } from './properties.ts';

const running = (actor: ActorView) => actor.in('running');

/**
 * The user's events, and the scheduler's events for threads with work to do. A thread that polls without
 * success is not run.
 */
const environment: readonly EnvironmentEvent[] = [
  {
    event: { type: 'enter' },
    when: (actor) =>
      actor.in('running.CriticalSection.polling') && site(actor).hastoken && site(actor).cptSC === 0,
  },
  { event: { type: 'exit' }, when: (actor) => actor.in('running.CriticalSection.inSC') },
  {
    event: { type: 'sendToken' },
    when: (actor) => actor.in('running.sendToken.waitingForNext') && site(actor).next !== null,
  },
  { event: { type: 'giveUp' }, when: (actor) => actor.in('running.sendToken.sent') },
  { event: { type: 'ask' }, when: running, times: 2 },
  { event: { type: 'quit' }, when: running },
];

/**
 * The program of machines/sketch. Each user asks at most twice, in any state, and may quit. Throws
 * `NETWORK_UNFIT` where the network does not tell which site delivered a message, because `handlemessage`
 * needs it.
 */
export function sketch(options: Options): System {
  const { order } = options.network;
  if (order === 'unordered-by-target') {
    throw new OptionsError(
      'NETWORK_UNFIT',
      'The sketch reads each neighbour from its own socket: ask for fifo.',
    );
  }
  const ports = siteNames(options);
  const root_port = ports[0]!;
  const actor = (port: SiteId): ActorSpec => ({
    machine: sketchMachine,
    input: { port, root_port },
    environment,
    deliver: (message, source) => waitMessage(message as SketchMessage, source!),
  });
  return {
    name: 'sketch',
    actors: Object.fromEntries(ports.map((port) => [port, actor(port)])),
    network: options.network,
    outside: ['grant', 'unexpected'],
    properties: [...properties, nothingUnexpected(actor(root_port), options.network)],
    // All sites but the root: the root's port is also the value of `last` that means "root".
    symmetry: ports.slice(1),
  };
}
