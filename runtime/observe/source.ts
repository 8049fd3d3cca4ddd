import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { ClusterOptions } from '../options/index.ts';

type Inspect = NonNullable<ClusterOptions['inspect']>;

/**
 * Tells an inspector what XState tells, and who sent what: XState knows no source of an event that came from another
 * process, so `sourceRef` is a stand-in whose `id` and `sessionId` are the peer's site id.
 */
export class NamedSource {
  /** The peer whose message the actor takes now; null for the client's events. */
  peer: SiteId | null = null;
  readonly #inspect: (event: InspectionEvent) => void;

  constructor(inspect: Inspect) {
    this.#inspect = typeof inspect === 'function' ? inspect : (event) => inspect.next?.(event);
  }

  readonly inspect = (event: InspectionEvent): void => {
    const isMessage = event.type === '@xstate.event' && event.sourceRef === undefined && this.peer !== null;
    this.#inspect(isMessage ? { ...event, sourceRef: standIn(this.peer!) } : event);
  };
}

/** Of an actor in another process nothing is here but its name. */
function standIn(peer: SiteId): AnyActorRef {
  return { id: peer, sessionId: peer } as AnyActorRef;
}
