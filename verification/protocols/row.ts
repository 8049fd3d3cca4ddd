import { type AnyStateMachine, assign, createMachine } from 'xstate';
import { editorOf } from '../system/edit.ts';
import type { FairnessClass } from '../system/properties.ts';
import type { ActorView, Bound, EnvironmentEvent } from '../system/system.ts';

/* Adds to a client's `ask` and `release`: `try` at any time outside, and `again`, up to a number of times in a row. */

type Config = AnyStateMachine['config'];

/**
 * `machine` with a `row` in its context that nothing of its own reads: how often its client said `again` in this stay, counted
 * modulo `modulo`.
 */
function countingRow(machine: AnyStateMachine, waited: Waited, modulo: number): AnyStateMachine {
  const { context, ...config } = machine.config;
  const begun = (of: unknown) => ({ ...(context as (of: unknown) => object)(of), row: 0 });
  const counting = createMachine(
    { ...config, context: begun } as Config,
    machine.implementations as Parameters<typeof createMachine>[1],
  );
  const { part, replace } = editorOf(counting);
  const { on, ...inside } = part('client.inCS') as { readonly on: { readonly again: unknown } };
  const [heeded, ...otherwise] = [on.again].flat() as { readonly actions?: unknown }[];
  const countInRow = assign({
    row: ({ context }) => ((context as { readonly row: number }).row + Number(waited(context))) % modulo,
  });
  const counted = { ...heeded, actions: [heeded!.actions ?? [], countInRow].flat() };
  return replace('client.inCS', {
    ...inside,
    exit: assign({ row: 0 }),
    on: { ...on, again: [counted, ...otherwise] },
  });
}

/** True where another site waits, so that an `again` counts. */
type Waited = (context: Readonly<Record<string, unknown>>) => boolean;

const rowOf = ({ up, context }: ActorView) => (up ? (context['row'] as number) : 0);

const mayTry = (actor: ActorView) => actor.in('client.idle') || actor.in('client.withdrawn');

/** Is it granted at once what its client may say now: any of these words? */
export function grantsNow(actor: ActorView, ...words: readonly ('ask' | 'again' | 'try')[]): boolean {
  const may = actor.in('client.inCS') ? ['again'] : mayTry(actor) ? ['ask', 'try'] : [];
  return words.some(
    (type) => may.includes(type) && actor.answer!({ type }).some((effect) => effect.type === 'grant'),
  );
}

/** A machine, and what its client says besides. */
export interface Combining {
  readonly machine: AnyStateMachine;
  readonly says: readonly EnvironmentEvent[];
}

/**
 * A client that says `again` up to `inARow` times in a row, each up to `times` in a run, and tries as often. `isSeen`: each `again`
 * changes the state, also where nobody counts: to fairness, a step that changes nothing is none.
 */
export function combining(
  machine: AnyStateMachine,
  inARow: Bound,
  {
    times = 'unbounded',
    waited = () => true,
    isSeen = false,
  }: { readonly times?: Bound; readonly waited?: Waited; readonly isSeen?: boolean } = {},
): Combining {
  const isBounded = inARow !== 'unbounded';
  const mayGoOn = (actor: ActorView) =>
    actor.in('client.inCS') && (!isBounded || rowOf(actor) < inARow || !waited(actor.context));
  return {
    machine:
      isBounded || isSeen ? countingRow(machine, waited, isBounded ? Number.POSITIVE_INFINITY : 2) : machine,
    says: [
      { event: { type: 'again' }, when: mayGoOn, times },
      { event: { type: 'try' }, when: mayTry, times },
    ],
  };
}

/** The end of a critical section is a class of its own at each actor: whichever of the two ways it is. */
export const sectionEnds: FairnessClass = (action) =>
  action.kind === 'environment' && ['release', 'again', 'releaseAndAsk'].includes(action.event.type)
    ? `a section of ${action.actor} ends`
    : null;
