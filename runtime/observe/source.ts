import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { ClusterOptions } from '../options/schema.ts';

type Inspect = NonNullable<ClusterOptions['inspect']>;

/**
 * Passes XState's inspection events on, and adds the sender of each message: XState knows no source of an event that came from another
 * process, so `sourceRef` is a stand-in whose `id` and `sessionId` are the peer's site id.
 */
export class NamedSource {
  readonly #inspect: (event: InspectionEvent) => void;
  readonly #peer: () => SiteId | null;

  /** `peer` is the site whose message the actor takes now, or null for an event of the client. */
  constructor(inspect: Inspect, peer: () => SiteId | null) {
    this.#peer = peer;
    this.#inspect = typeof inspect === 'function' ? inspect : (event) => inspect.next?.(event);
  }

  readonly inspect = (event: InspectionEvent): void => {
    const peer = event.type === '@xstate.event' && event.sourceRef === undefined ? this.#peer() : null;
    this.#inspect(peer === null ? event : ({ ...event, sourceRef: standIn(peer) } as InspectionEvent));
  };
}

/** Stands for an actor of another process, known here by its name only. */
function standIn(peer: SiteId): AnyActorRef {
  return { id: peer, sessionId: peer } as AnyActorRef;
}
