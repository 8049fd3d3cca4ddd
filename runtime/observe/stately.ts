import type { ActorRefLike, AnyActor, AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';

/**
 * The part of an inspector of @statelyai/inspect that is used, of whichever make. Where an actor is a string, it is
 * its session.
 */
export interface StatelyInspector {
  actor(actor: ActorRefLike): void;
  event(actor: string, event: AnyEventObject, info: { readonly source?: string }): void;
  snapshot(actor: string, snapshot: InspectedState, info: { readonly event: AnyEventObject }): void;
}

interface InspectedState {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value: unknown;
  readonly context: unknown;
}

/**
 * For `joinCluster({ inspect })`: shows the site in `inspector`, with an arrow from the site that sent each message.
 *
 * The inspector's own `inspect` cannot: XState names the first actor of every process `x:0`. Here an actor's session is
 * its site's id, so that sites of many processes are told apart, and meet, in one view.
 */
export function throughStately(inspector: StatelyInspector): (event: InspectionEvent) => void {
  return (inspected) => {
    switch (inspected.type) {
      case '@xstate.actor':
        // It has no snapshot yet: that comes with its first event.
        inspector.actor(named(inspected.actorRef));
        return;
      case '@xstate.event': {
        const { sourceRef } = inspected;
        inspector.event(
          idOf(inspected.actorRef),
          inspected.event,
          sourceRef ? { source: idOf(sourceRef) } : {},
        );
        return;
      }
      case '@xstate.snapshot':
        inspector.snapshot(idOf(inspected.actorRef), stateOf(inspected.snapshot), { event: inspected.event });
    }
  };
}

function idOf(actor: ActorRefLike): string {
  return (actor as AnyActorRef).id;
}

// The inspector calls an actor by the id in its machine's configuration.
function named(actor: ActorRefLike): ActorRefLike {
  const id = idOf(actor);
  const { config } = (actor as AnyActor).logic as { readonly config?: object };
  return { sessionId: id, logic: { config: { ...config, id } } } as unknown as ActorRefLike;
}

function stateOf(snapshot: unknown): InspectedState {
  const { status, value, context } = snapshot as InspectedState;
  return { status, value, context };
}
