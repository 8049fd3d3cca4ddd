import type { SiteId } from '../../machines/actor.ts';
import type { History, InFlight } from './system.ts';

/**
 * The sequential specification of an object: the answer of an operation, and the state that it leaves. Plain
 * JSON.
 */
export interface Sequential {
  readonly initial: unknown;
  readonly apply: (
    state: unknown,
    operation: unknown,
  ) => { readonly state: unknown; readonly answer: unknown };
}

/** An operation of a client: `after` says how many operations of each other client were over when it began. */
export interface Invoked {
  readonly operation: unknown;
  readonly after: Readonly<Record<SiteId, number>>;
}

/** An operation with its answer. */
export interface Done extends Invoked {
  readonly answer: unknown;
}

/** The requests of the clients, and their answers. */
export interface Operations {
  readonly done: Readonly<Record<SiteId, readonly Done[]>>;
  readonly pending: Readonly<Record<SiteId, Invoked>>;
}

/** The messages that carry operations and answers. */
export interface OperationMessages {
  /** The types of the messages that answer an operation on arrival at their client. */
  readonly answers: readonly string[];
  /** The operation that a client begins by sending this message. */
  readonly invoked: (message: InFlight['message']) => unknown;
  /** The answer in a message of `answers`. */
  readonly answered: (message: InFlight['message']) => unknown;
}

const none: Operations = { done: {}, pending: {} };

/**
 * A history variable of operations, for `isLinearizable`: an operation begins when its client sends the message that asks for
 * it, and ends when the answer reaches the client.
 */
export function operationsOf({ answers, invoked, answered }: OperationMessages): History {
  return {
    initial: none,
    effects: ['send'],
    deliveries: answers,
    after: (history, actor, effects, delivered) => {
      let now = history as Operations;
      if (delivered !== null && now.pending[actor] !== undefined)
        now = ended(now, actor, answered(delivered.message));
      for (const { message } of effects as readonly { message?: InFlight['message'] }[]) {
        const operation = message === undefined ? null : invoked(message);
        if (operation !== null) now = begun(now, actor, operation);
      }
      return now;
    },
  };
}

function begun({ done, pending }: Operations, actor: SiteId, operation: unknown): Operations {
  const others = Object.entries(done).filter(([id, over]) => id !== actor && over.length > 0);
  const after = Object.fromEntries(others.map(([id, over]) => [id, over.length]));
  return { done, pending: { ...pending, [actor]: { operation, after } } };
}

function ended({ done, pending }: Operations, actor: SiteId, answer: unknown): Operations {
  const { [actor]: invoked, ...rest } = pending;
  return { done: { ...done, [actor]: [...(done[actor] ?? []), { ...invoked!, answer }] }, pending: rest };
}

/**
 * Reports whether the answers are those of a sequential execution in which each operation takes effect at one
 * moment between its invocation and its response (M. Herlihy, J. Wing, "Linearizability: A Correctness
 * Condition for Concurrent Objects", 1990). An operation that is under way may have taken effect or not.
 * Every order is tried, because a model has few operations.
 */
export function isLinearizable(operations: Operations, { initial, apply }: Sequential): boolean {
  const clients = [...new Set([...Object.keys(operations.done), ...Object.keys(operations.pending)])];
  const serve = (state: unknown, served: Readonly<Record<SiteId, number>>): boolean => {
    const count = (id: SiteId) => served[id] ?? 0;
    if (clients.every((id) => count(id) >= (operations.done[id]?.length ?? 0))) return true;
    return clients.some((id) => {
      const over = operations.done[id] ?? [];
      const at = count(id);
      const next: Invoked | undefined = over[at] ?? (at === over.length ? operations.pending[id] : undefined);
      if (next === undefined) return false;
      if (!Object.entries(next.after).every(([other, least]) => count(other) >= least)) return false;
      const { state: left, answer } = apply(state, next.operation);
      const isRight = at >= over.length || JSON.stringify(answer) === JSON.stringify(over[at]!.answer);
      return isRight && serve(left, { ...served, [id]: at + 1 });
    });
  };
  return serve(initial, {});
}
