import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { Send } from '../checker/model.ts';
import { saidText, steady } from './callbacks.ts';
import { SystemError } from './errors.ts';
import type { Interner, Json } from './interner.ts';
import { Numbered } from './numbered.ts';
import type { History, InFlight, System } from './system.ts';

/** The value of the system's `history`, as one more process: a step that it listens to sends it a message. */
export class HistoryVariable {
  readonly #spec: System['history'];
  readonly #after: History['after'];
  readonly process: number;
  readonly #values: Interner;
  /** The reports to the history, by message; and its values, by local. Both are interned values, numbered from 0. */
  readonly #messages = new Numbered<number, Json>();
  readonly #locals = new Numbered<number, Json>();

  constructor(spec: System['history'], process: number, values: Interner) {
    this.#spec = spec;
    this.process = process;
    this.#values = values;
    this.#after = steady('`history.after`', aboutStep, spec?.after ?? ((history) => history));
    if (spec !== undefined) this.#local(spec.initial);
  }

  /** 1 if the system has a history, otherwise 0. */
  get processes(): number {
    return this.#spec === undefined ? 0 : 1;
  }

  /** Number of values so far, which are its locals. */
  get size(): number {
    return this.#locals.size;
  }

  /** Number of distinct messages to the history so far. */
  get messages(): number {
    return this.#messages.size;
  }

  /** `delivered`: the message that the step took, or `null`. */
  tell(actor: SiteId, effects: readonly NamedAction[], delivered: InFlight | null = null): readonly Send[] {
    if (this.#spec === undefined) return nothing;
    const heard = heardBy(this.#spec, effects, delivered);
    if (heard === null) return nothing;
    const id = this.#values.intern({ actor, ...heard }, `what the history hears of '${actor}'`);
    return [{ process: this.process, message: this.#messages.numberOf(id, this.#values.value(id)) }];
  }

  receive(local: number, message: number): number {
    const { actor, effects, delivered } = this.#messages.at(message) as unknown as Told;
    const before = this.#locals.at(local);
    const after = this.#after(before, actor, effects, delivered);
    if (after === undefined && before !== undefined) {
      throw new SystemError(
        'PREDICATE_INVALID',
        `\`history.after\` must give the new history, and gave ${saidText(after)} It was asked about\n${aboutStep(before, actor, effects, delivered)}`,
      );
    }
    return this.#local(after);
  }

  /** `undefined` if the system has no history. */
  value(state: ArrayLike<number>): unknown {
    return this.#spec === undefined ? undefined : this.#locals.at(state[this.process]!);
  }

  #local(value: unknown): number {
    const id = this.#values.intern(value, 'the history of the system');
    return this.#locals.numberOf(id, this.#values.value(id));
  }
}

const aboutStep = (...[history, actor, effects, delivered]: Parameters<History['after']>): string =>
  `     ${JSON.stringify({ history, actor, effects, delivered })}`;

/** Returns the part of a step that a history listens to, or `null`. */
export function heardBy(
  { effects: types = [], deliveries = [] }: History,
  effects: readonly NamedAction[],
  delivered: InFlight | null,
): Heard | null {
  const heard = effects.filter(({ type }) => types.includes(type));
  const message = delivered !== null && deliveries.includes(delivered.message.type) ? delivered : null;
  return heard.length === 0 && message === null ? null : { effects: heard, delivered: message };
}

export interface Heard {
  readonly effects: readonly NamedAction[];
  readonly delivered: InFlight | null;
}

interface Told extends Heard {
  readonly actor: SiteId;
}

const nothing: readonly never[] = [];
