import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate';
import { apply } from '../checker/model.ts';
import { describedTransition, transitionsOf } from '../system/coverage.ts';
import { type Compiled, compile } from '../system/index.ts';
import type { Action, ChildView } from '../system/system.ts';
import type { Happening } from '../system/tree/driven.ts';
import { machinesOf } from '../system/tree/places.ts';
import { CheckError } from './errors.ts';
import { type MachineModule, systemOf } from './machine.ts';

/** A path to a transition, or to two successive transitions. */
export interface TransitionPath {
  /** `idle: go -> busy`; a pair has two, with `, then ` between them. */
  readonly name: string;
  readonly steps: readonly PathStep[];
}

/** One event of a path, and the state that the model expects after it. */
export interface PathStep {
  readonly happening: Happening;
  /** The values of the clock and of random numbers that the step reads, in order. Absent when it reads none. */
  readonly chance?: readonly unknown[];
  /** The expected state after the step; `null`: the machine fails. */
  readonly expected: PathState | null;
}

/** The state value and context of the machine, and of each active machine below it, by path. */
export interface PathState {
  readonly value: unknown;
  readonly context: unknown;
  readonly children?: Readonly<Record<string, { readonly value: unknown; readonly context: unknown }>>;
}

export interface Paths {
  /** The expected state before the first step. */
  readonly initial: PathStep['expected'];
  readonly paths: readonly TransitionPath[];
  /** The transitions that no run takes. */
  readonly never: readonly string[];
}

export interface PathOptions {
  /** Find a path to each two successive transitions. Default: false, to each transition. */
  readonly pairs?: boolean;
  /**
   * Throws `CheckError` with code `PATHS_UNBOUNDED` if this number of states is not enough. Default: 100,000.
   */
  readonly maxStates?: number;
}

interface Node {
  readonly state: readonly number[];
  readonly before: Node | null;
  readonly step: PathStep | null;
  /** The transitions of the step that leads here, by name. */
  readonly taken: readonly string[];
}

/**
 * Finds a shortest path to each transition of the machine and of the machines that it invokes, breadth first.
 * Paths to transitions that lie on longer paths are left out.
 */
export function pathsOf(
  machine: AnyStateMachine,
  module: MachineModule = {},
  options: PathOptions = {},
): Paths {
  const { pairs = false, maxStates = 100_000 } = options;
  const compiled = compile({ ...systemOf(machine, module), properties: [] });
  const nameOf = names(machine);
  const found = new Map<string, Node>();
  const [first] = compiled.model.initial;
  const root: Node = { state: first!, before: null, step: null, taken: [] };
  const queue = [root];
  const seen = new Set([keyOf(root, pairs)]);
  const all = [...machinesOf(machine)].flatMap((each) => transitionsOf(each).map(nameOf));
  for (const node of queue) {
    if (module.within?.(compiled.decode(node.state).actors[0]!) === false) continue;
    if (!pairs && all.every((name) => found.has(name))) break;
    for (const [index, step] of compiled.model.steps(0, node.state[0]!).entries()) {
      const taken = compiled.taken(0, node.state[0]!, index);
      const after = apply(compiled.model, node.state, 0, step);
      if (taken === undefined || after === null) continue;
      const action = compiled.action(step.action);
      const next: Node = {
        state: after,
        before: node,
        step: {
          happening: happeningOf(action, taken.isInside),
          ...('chance' in action && { chance: action.chance }),
          expected: expectedIn(compiled, after),
        },
        taken: taken.transitions.map(nameOf),
      };
      const goals = pairs
        ? node.taken.flatMap((one) => next.taken.map((two) => `${one}, then ${two}`))
        : next.taken;
      for (const goal of goals) if (!found.has(goal)) found.set(goal, next);
      const key = keyOf(next, pairs);
      if (seen.has(key)) continue;
      if (seen.size === maxStates) {
        throw new CheckError(
          'PATHS_UNBOUNDED',
          `'${machine.id}' has more than ${maxStates} states. Say how often an event may come, \`times\`, how far to look, \`within\`, or give it fewer events.`,
        );
      }
      seen.add(key);
      queue.push(next);
    }
  }
  const paths = [...found].map(([name, node]) => ({ name, steps: stepsTo(node) }));
  return {
    initial: expectedIn(compiled, first!),
    paths: withoutPrefixes(paths),
    never: pairs ? [] : all.filter((name) => !found.has(name)),
  };
}

const keyOf = ({ state, taken }: Node, pairs: boolean) =>
  pairs ? `${state} ${taken.join()}` : String(state);

function stepsTo(node: Node): readonly PathStep[] {
  return node.before === null ? [] : [...stepsTo(node.before), node.step!];
}

/** Keeps the longest paths only: each also takes the transitions of its prefixes. */
function withoutPrefixes(paths: readonly TransitionPath[]): readonly TransitionPath[] {
  const byText = new Map<string, TransitionPath>();
  const beginnings = new Set<string>();
  for (const path of paths) {
    const texts = path.steps.map((_, index) => JSON.stringify(path.steps.slice(0, index + 1)));
    for (const text of texts.slice(0, -1)) beginnings.add(text);
    const text = texts.at(-1)!;
    const same = byText.get(text);
    byText.set(text, same === undefined ? path : { ...path, name: `${same.name}; ${path.name}` });
  }
  return [...byText].flatMap(([text, path]) => (beginnings.has(text) ? [] : [path]));
}

function happeningOf(action: Action, isInside: boolean): Happening {
  if (action.kind === 'timer') return { timer: action.timer };
  const { event } = action as Extract<Action, { kind: 'environment' }>;
  return isInside ? { outcome: event as never } : { event };
}

function expectedIn(compiled: Compiled, state: readonly number[]): PathStep['expected'] {
  const { fault, value, context, children = {} } = compiled.decode(state).actors[0]!;
  return fault === undefined ? { value, context, ...activeBelow(children) } : null;
}

/** The state values and contexts of the active machines below, by path, if there are any. */
export function activeBelow<Child extends Pick<ChildView, 'status' | 'value' | 'context'>>(
  children: Readonly<Record<string, Child>>,
  show: (context: unknown) => unknown = (context) => context,
): Pick<NonNullable<PathStep['expected']>, 'children'> {
  const machines = Object.entries(children).flatMap(([path, { status, value, context }]) =>
    status === 'active' && (value ?? null) !== null
      ? [[path, { value, context: show(context) }] as const]
      : [],
  );
  return machines.length === 0 ? {} : { children: Object.fromEntries(machines) };
}

/** Gives every transition one name. Several transitions for one event in one state are numbered. */
function names(machine: AnyStateMachine): (transition: AnyTransitionDefinition) => string {
  const known = new Map<AnyTransitionDefinition, string>();
  const counts = new Map<string, number>();
  for (const each of machinesOf(machine)) {
    for (const transition of transitionsOf(each)) {
      const { state, event, targets } = describedTransition(transition);
      const where = targets.length === 0 ? '' : ` -> ${targets.join(', ')}`;
      const name = `${state}: ${event === '' ? 'always' : event}${where}`;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      known.set(transition, count === 1 ? name : `${name} #${count}`);
    }
  }
  return (transition) => known.get(transition) ?? 'a transition that is made as it runs';
}

/**
 * Returns a Vitest file that takes each path with XState's own actor of the machine. `machine`: the module
 * specifier of the machine.
 */
export function testsOf({ initial, paths, never }: Paths, machine: string, library: string): string {
  const tests = paths.map(({ name, steps }) => {
    const lines = steps.map((step) => `    ${JSON.stringify(step)},`);
    return `test(${JSON.stringify(name)}, () =>\n  takePath(machine, initial, [\n${lines.join('\n')}\n  ]));\n`;
  });
  return [
    '// Written by baton paths. Each test takes a shortest path to a transition, and expects the same as the model.',
    ...never.map((name) => `// No run takes this transition, or the machine fails on it: ${name}`),
    "import { test } from 'vitest';",
    `import { takePath } from ${JSON.stringify(library)};`,
    `import * as machine from ${JSON.stringify(machine)};`,
    '',
    `const initial = ${JSON.stringify(initial)};`,
    '',
    ...tests,
  ].join('\n');
}
