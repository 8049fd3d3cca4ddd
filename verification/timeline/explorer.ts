import { isDeepStrictEqual } from 'node:util';
import { check } from '../check/check.ts';
import { noFault } from '../check/questions.ts';
import { apply } from '../checker/model.ts';
import { type Compiled, compile, type PathStep, traceOf } from '../system/index.ts';
import type { Action, Property, StatePredicate, System, Trace } from '../system/system.ts';
import { actionText, messageText } from '../system/text.ts';
import type { Choice, Explored, Found } from './format.ts';
import { predicateOf } from './state-text.ts';
import { timelineOf } from './trace.ts';

export interface ExplorerLimits {
  /** Limit for a jump. Default: 1,000,000. */
  readonly maxStates?: number;
  /** Limit for a jump. Default: 30. */
  readonly maxSeconds?: number;
}

interface Enabled extends PathStep {
  readonly action: Action;
  readonly text: string;
  readonly after: readonly number[];
}

/** The model cannot take a path of choices. */
export class PathError extends Error {
  readonly code = 'PATH_REFUSED';
}

/**
 * A model that is explored step by step. A path is a list of choices, each an index among the enabled steps
 * of its state. Enabled steps are listed in the order of their texts, so a path means the same in every
 * process.
 */
export class Explorer {
  readonly #compiled: Compiled;
  readonly #limits: Required<ExplorerLimits>;
  /** The enabled steps of each state, as they are listed. */
  readonly #enabled = new Map<string, readonly Enabled[]>();

  constructor(system: System, { maxStates = 1_000_000, maxSeconds = 30 }: ExplorerLimits = {}) {
    this.#compiled = compile(system);
    if (this.#compiled.model.initial.length > 1) {
      throw new PathError(
        `expected a system with one initial state, and '${system.name}' has ${this.#compiled.model.initial.length}: leave out \`starts\``,
      );
    }
    this.#limits = { maxStates, maxSeconds };
  }

  get system(): System {
    return this.#compiled.system;
  }

  /** The run of `path`, and the enabled steps at each of its moments. Throws `PathError`. */
  explored(path: readonly number[]): Explored {
    const { system, model } = this.#compiled;
    const states: (readonly number[])[] = [model.initial[0]!];
    const steps: PathStep[] = [];
    for (const [index, choice] of path.entries()) {
      const enabled = this.#enabledIn(states[index]!);
      const step = enabled[choice];
      if (step === undefined) {
        throw new PathError(
          `expected choice ${index + 1} of the path to be one of 0 to ${enabled.length - 1}, not ${choice}`,
        );
      }
      steps.push(step);
      states.push(step.after);
    }
    const choices = states.map((state) => this.#enabledIn(state).map(choiceOf));
    const size = Object.keys(system.actors).length;
    const timeline = timelineOf(system, traceOf(this.#compiled, steps), {
      title: system.name,
      about: `exploring ${system.name}, ${size} actors, ${system.network.order} network`,
      stuck: (moment) =>
        this.#enabledIn(states[moment]!).every(({ after }) => isDeepStrictEqual(after, states[moment])),
    });
    return { timeline, choices, path };
  }

  /**
   * Finds the shortest path to a state that decides the named property: one that violates it or reaches it.
   */
  async toProperty(name: string): Promise<Found> {
    const property = [noFault, ...this.system.properties].find((one) => one.name === name);
    if (property === undefined) return { path: null, reason: `there is no property ${name}` };
    const isOfRuns = !['always', 'reachable', 'deadlockFree'].includes(property.kind);
    return this.#find(property === noFault ? [] : [property], name, isOfRuns);
  }

  /**
   * Finds the shortest path to a state described by `text`, such as `a in client.inCS and b.next = c`. Throws
   * `StateTextError`.
   */
  async toState(text: string): Promise<Found> {
    const predicate: StatePredicate = predicateOf(text, Object.keys(this.system.actors));
    return this.#find([{ kind: 'reachable', name: text, predicate }], text, false);
  }

  async #find(properties: readonly Property[], name: string, liveness: boolean): Promise<Found> {
    const { maxStates, maxSeconds } = this.#limits;
    const report = await check({ ...this.system, properties }, { maxStates, maxSeconds, liveness });
    const { verdict, kind, trace, ...rest } = report.properties.find((one) => one.name === name)!;
    if (trace !== undefined) {
      const what = verdict === 'violated' ? 'is violated' : 'is reached';
      return { path: this.pathOf(trace), reason: `${name}: ${what} after ${trace.steps.length} steps` };
    }
    if (verdict === 'incomplete') {
      return { path: null, reason: `not found so far: ${'reason' in rest ? rest.reason : ''}` };
    }
    const what = kind === 'reachable' ? 'is like that' : 'violates it';
    return { path: null, reason: `${name}: none of all ${report.states} states ${what}` };
  }

  /** The choices that produce this trace. Throws `PathError` when the system cannot take it. */
  pathOf({ steps }: Trace): readonly number[] {
    let state = this.#compiled.model.initial[0]!;
    return steps.map(({ action, effects, state: after }, index) => {
      const text = textOf(action, effects);
      const enabled = this.#enabledIn(state);
      const wanted = JSON.stringify(after);
      const choice = enabled.findIndex(
        (one) => one.text === text && JSON.stringify(this.#compiled.record(one.after)) === wanted,
      );
      if (choice < 0) throw new PathError(`the system does not take step ${index + 1}: ${text}`);
      state = enabled[choice]!.after;
      return choice;
    });
  }

  #enabledIn(state: readonly number[]): readonly Enabled[] {
    const key = state.join();
    const known = this.#enabled.get(key);
    if (known !== undefined) return known;
    const found: Enabled[] = [];
    const { model } = this.#compiled;
    for (let process = 0; process < model.width; process++) {
      for (const [step, one] of model.steps(process, state[process]!).entries()) {
        const after = apply(model, state, process, one);
        if (after === null) continue;
        const action = this.#compiled.action(one.action);
        const text = textOf(action, this.#compiled.effects(process, state[process]!, step));
        found.push({ process, step, action, text, after });
      }
    }
    found.sort((left, right) => (left.text < right.text ? -1 : 1));
    this.#enabled.set(key, found);
    return found;
  }
}

function textOf(action: Action, effects: readonly { readonly type: string }[]): string {
  return [actionText(action), ...effects.map((effect) => messageText(effect))].join(', ');
}

function choiceOf({ action }: Enabled): Choice {
  return { site: action.actor, kind: action.kind, text: actionText(action) };
}
