import { type AnyStateMachine, matchesState, type StateValue } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { whereItSpeaks } from '../check/questions.ts';
import { Monitor } from '../checker/liveness/monitor.ts';
import { evaluate } from '../system/evaluate.ts';
import type { ActorView, Property, StatePredicate, StateRecord, StateView } from '../system/system.ts';
import type { Judgement, Read } from './format.ts';
import { readsOf } from './reads.ts';
import { answerOf } from './taken.ts';

/** The machine of a site, if known. */
export type MachineOf = (site: SiteId) => AnyStateMachine | undefined;

/**
 * A recorded state as predicates see it. `looked` is called when a predicate reads messages on their way, or
 * the history.
 */
export function viewOf(
  record: StateRecord,
  machineOf: MachineOf,
  history?: unknown,
  looked: () => void = () => undefined,
): StateView {
  const actors = Object.entries(record).map(([id, state]): ActorView => {
    const { up, value, context, inbox, timers, fault } = state;
    const machine = machineOf(id);
    return {
      id,
      up,
      value,
      context: context as Readonly<Record<string, unknown>>,
      in: (path) => up && matchesState(path, value as StateValue),
      get inbox() {
        looked();
        return inbox;
      },
      timers,
      ...(machine === undefined ? {} : { answer: (event) => answerOf(machine, state, event) }),
      ...(fault === undefined ? {} : { fault }),
    };
  });
  return {
    actors,
    get history() {
      if (history !== undefined) looked();
      return history;
    },
    actor: (id) => actors.find((actor) => actor.id === id)!,
  };
}

/** Facts about a moment beside its state. */
export interface Circumstances {
  /** True when no further step is possible. `null`: not known. */
  readonly stuck: boolean | null;
  /** At the last moment of a lasso: from here on everything repeats from moment `loop`. */
  readonly loop: number | null;
}

/** Judges one property moment by moment, along one run. */
export class Verdicts {
  readonly #property: Property;
  /** The final judgement, once there is one. */
  #decided: Judgement | null = null;
  /** For `leadsTo`: the moment since which `to` is owed. */
  #owedSince: number | null = null;
  /** For `leadsTo`: the last moment at which `to` held. */
  #paid: number | null = null;
  readonly #monitor: Monitor | null;
  #moment = -1;
  #before: StateView | null = null;
  /** The values that the property read when it became violated. */
  #reads: readonly Read[] | null = null;

  constructor(property: Property) {
    this.#property = property;
    this.#monitor =
      property.kind === 'ltl' ? new Monitor(property.formula, Object.keys(property.atoms)) : null;
  }

  /** Judges the next moment. Moments must be judged one after the other. */
  next(state: StateView, circumstances: Circumstances): Judgement {
    this.#moment++;
    if (this.#decided !== null) return this.#decided;
    const judgement = this.#explained(this.#judge(state, circumstances), state);
    this.#before = state;
    const isFinal = this.#property.kind === 'reachable' && judgement.verdict === 'holds';
    if (isFinal || (this.#property.kind === 'eventually' && judgement.verdict === 'holds')) {
      this.#decided = judgement;
    }
    return judgement;
  }

  #explained(judgement: Judgement, state: StateView): Judgement {
    if (judgement.verdict !== 'violated') {
      this.#reads = null;
      return judgement;
    }
    this.#reads ??= readsOf(predicatesOf(this.#property), state, this.#before);
    return this.#reads.length === 0 ? judgement : { ...judgement, reads: this.#reads };
  }

  #judge(state: StateView, { stuck, loop: lasso }: Circumstances): Judgement {
    const property = this.#property;
    // Where no further step is possible, the state stays for ever.
    const loop = lasso ?? (stuck === true ? this.#moment : null);
    switch (property.kind) {
      case 'always':
        return evaluate(whereItSpeaks(property), state) ? { verdict: 'holds' } : broken(property, state);
      case 'reachable':
        return evaluate(property.predicate, state)
          ? { verdict: 'holds', reason: `reached at step ${this.#moment}` }
          : { verdict: 'open', reason: 'not reached so far' };
      case 'deadlockFree': {
        if (stuck !== true) return stuck === null ? { verdict: 'open' } : { verdict: 'holds' };
        const rests = property.quiescent !== undefined && evaluate(property.quiescent, state);
        return rests ? { verdict: 'holds' } : { verdict: 'violated', reason: 'nothing can happen any more' };
      }
      case 'eventually':
        if (evaluate(property.predicate, state)) return { verdict: 'holds' };
        return loop === null
          ? { verdict: 'open', reason: 'not so far' }
          : { verdict: 'violated', reason: `it never comes: the run ${forEver(loop, this.#moment)}` };
      case 'leadsTo':
        return this.#owed(property, state, loop);
      case 'ltl':
        return this.#foretold(property, state, loop);
    }
  }

  #foretold({ atoms }: Extract<Property, { kind: 'ltl' }>, state: StateView, loop: number | null): Judgement {
    const monitor = this.#monitor!;
    const names = Object.keys(atoms);
    const holding = names.map((name) => evaluate(atoms[name]!, state));
    const said = monitor.next(holding.reduce((letter, is, bit) => (is ? letter | (1 << bit) : letter), 0));
    const now = `now: ${names.map((name, bit) => (holding[bit] ? name : `!${name}`)).join(', ')}`;
    if (said === 'violated') return { verdict: 'violated', reason: `it can no longer hold; ${now}` };
    if (said === 'holds') return { verdict: 'holds', reason: 'however it goes on' };
    if (loop !== null) {
      return monitor.holdsFrom(loop)
        ? { verdict: 'holds', reason: `the run ${forEver(loop, this.#moment)}` }
        : { verdict: 'violated', reason: `the run ${forEver(loop, this.#moment)}; ${now}` };
    }
    return said === 'so far'
      ? { verdict: 'holds', reason: `so far; ${now}` }
      : { verdict: 'open', reason: `not yet; ${now}` };
  }

  #owed(
    { from, to }: Extract<Property, { kind: 'leadsTo' }>,
    state: StateView,
    loop: number | null,
  ): Judgement {
    if (evaluate(to, state)) {
      this.#owedSince = null;
      this.#paid = this.#moment;
    } else if (this.#owedSince === null && evaluate(from, state)) {
      this.#owedSince = this.#moment;
    }
    if (this.#owedSince === null) return { verdict: 'holds', reason: 'nothing is owed' };
    // `to` holds in every round of the loop if it holds once in it.
    if (loop !== null && (this.#paid === null || this.#paid < loop)) {
      return { verdict: 'violated', reason: `owed since step ${this.#owedSince}, and it never comes` };
    }
    return { verdict: 'open', reason: `owed since step ${this.#owedSince}` };
  }
}

function predicatesOf(property: Property): readonly StatePredicate[] {
  switch (property.kind) {
    case 'deadlockFree':
      return property.quiescent === undefined ? [] : [property.quiescent];
    case 'leadsTo':
      return [property.from, property.to];
    case 'ltl':
      return Object.values(property.atoms);
    default:
      return [property.predicate];
  }
}

function forEver(loop: number, moment: number): string {
  return loop === moment ? 'stays here for ever' : `goes round for ever, from moment ${loop} on`;
}

function broken(property: Extract<Property, { kind: 'always' }>, state: StateView): Judgement {
  const sites = culprits(property.predicate, state);
  const reason = property.because?.(state) ?? faults(state);
  return {
    verdict: 'violated',
    ...(reason === '' ? {} : { reason }),
    ...(sites.length === 0 ? {} : { sites }),
  };
}

function faults({ actors }: StateView): string {
  return actors.flatMap(({ id, fault }) => (fault === undefined ? [] : [`${id}: ${fault}`])).join('; ');
}

/** The sites at fault, if the predicate identifies them. */
function culprits(predicate: StatePredicate, state: StateView): readonly string[] {
  const those = (is: (actor: ActorView) => boolean) => state.actors.filter(is).map(({ id }) => id);
  switch (predicate.kind) {
    case 'every':
      return those((actor) => !predicate.is(actor));
    case 'count':
      return those((actor) => predicate.of(actor) > 0);
    case 'and':
      return [
        ...new Set(
          predicate.of.filter((part) => !evaluate(part, state)).flatMap((part) => culprits(part, state)),
        ),
      ];
    default:
      return [];
  }
}
