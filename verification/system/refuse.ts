import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { reasonOf } from '../../machines/errors.ts';
import { compile } from '../../statechart/compile.ts';
import { StatechartError } from '../../statechart/errors.ts';
import { checkBound } from './budget.ts';
import { SystemError } from './errors.ts';
import { refuseUnknownNames } from './names.ts';
import { hint, misshapen, refuseMisshapen } from './shape.ts';
import type { System } from './system.ts';

/** Refuses systems that are invalid before the first step: `SYSTEM_INVALID`, `MACHINE_REFUSED`. */
export function refuseInvalid(system: System): void {
  refuseMisshapen(system);
  const ids = Object.keys(system.actors);
  if (ids.length === 0) throw invalid('It has no actors. Give it at least one.');
  if (system.history !== undefined && system.symmetry !== undefined) {
    throw invalid('A history names actors as they are, and symmetry renames them. Leave one of them out.');
  }
  refuseUnnamed(system);
  for (const [index, start] of (system.starts ?? []).entries()) {
    const stranger = Object.keys(start).find((id) => !ids.includes(id));
    if (stranger !== undefined)
      throw misshapen(`starts[${index}].${stranger}`, `there is no such actor; ${hint(stranger, ids)}`);
  }
  if (system.starts?.length === 0) throw misshapen('starts', 'it must not be empty');
  const { order, duplication, breaks = 0, capacity = 'unbounded' } = system.network;
  checkBound(capacity, 'network.capacity');
  if (breaks !== 0 && order !== 'fifo') {
    throw invalid(`A break loses the tail of a queue, and ${order} has none. Use order: 'fifo', or loss.`);
  }
  if (duplication === 'persistent' && order === 'fifo') {
    throw invalid(
      "Messages that are never consumed are a set, not a queue. Use order: 'unordered' with duplication: 'persistent'.",
    );
  }
  refuseChildren(system);
  for (const [id, { outcomes, time, chance, crash, environment = [] }] of Object.entries(system.actors)) {
    checkBound(crash?.times ?? 0, `crash.times of '${id}'`);
    for (const { event, times } of environment) {
      checkBound(times ?? 'unbounded', `times of environment event '${event.type}' of '${id}'`);
    }
    if (outcomes === undefined && (time ?? chance) !== undefined) {
      const key = time === undefined ? 'chance' : 'time';
      throw invalid(`'${id}' has ${key}, which speaks of a tree of actors. Give it outcomes: {} too.`);
    }
    if (outcomes !== undefined && system.symmetry?.includes(id)) {
      throw invalid(
        `'${id}' has outcomes, and is in symmetry: trees of actors are not renamed. Leave one out.`,
      );
    }
  }
  refuseUnlike(system, ids);
  refuseIdle(system);
  refuseUnknownNames(system);
}

/** Refuses symmetry together with parts that are not compared under other names. */
function refuseUnnamed({ symmetry, starts, actors }: System): void {
  if (symmetry === undefined) return;
  const specs = Object.values(actors);
  const key =
    starts !== undefined
      ? 'starts'
      : specs.some(({ accepts }) => accepts !== undefined)
        ? 'accepts'
        : specs.some(({ environment = [] }) => environment.some(({ together }) => together !== undefined))
          ? 'together'
          : null;
  if (key === null) return;
  throw invalid(
    `\`${key}\` names actors as they are, and symmetry renames them: whether it does the same under other names is compared for steps, ` +
      `deliveries, restarts and the environment, and not for \`${key}\`. Leave one of them out.`,
  );
}

/** Refuses a restart without a crash. */
function refuseIdle({ actors }: System): void {
  for (const [id, { crash, restart }] of Object.entries(actors)) {
    if (restart !== undefined && crash === undefined) {
      throw misshapen(`actors.${id}.restart`, 'it may never crash; give it `crash`, or leave out `restart`');
    }
  }
}

/** Interchangeable actors are of one machine, and the same may happen to them. */
function refuseUnlike({ actors, symmetry = [] }: System, ids: readonly string[]): void {
  const strangers = symmetry.filter((id) => !ids.includes(id));
  if (strangers.length > 0 || new Set(symmetry).size < symmetry.length) {
    throw invalid(
      `symmetry must list distinct actors of ${ids.join(', ')}, and lists ${symmetry.join(', ')}.`,
    );
  }
  const [first, ...others] = symmetry;
  if (first === undefined) return;
  for (const other of others) {
    const [left, right] = [actors[first]!, actors[other]!];
    const alike =
      left.machine === right.machine &&
      left.crash?.times === right.crash?.times &&
      left.environment?.length === right.environment?.length &&
      (left.restart === undefined) === (right.restart === undefined) &&
      (left.environment ?? []).every(({ times }, index) => times === right.environment?.[index]?.times);
    if (!alike) {
      throw new SystemError(
        'SYMMETRY_BROKEN',
        `'${first}' and '${other}' are declared interchangeable, and differ in their machine, environment, crash or ` +
          'restart. Give them the same machine object and the same lists, or leave one out of symmetry.',
      );
    }
  }
}

/**
 * Refuses the parts of a definition that no checked machine may use. Parts that only a running step shows are refused
 * there.
 */
function childrenIn(machine: AnyStateMachine): readonly string[] {
  const found: string[] = [];
  const named = machine.implementations.actions as Readonly<Record<string, unknown>>;
  const nodes: AnyStateNode[] = [machine.root];
  for (const node of nodes) {
    nodes.push(...Object.values(node.states));
    if (node.invoke.length > 0) found.push(`invoke in state '${node.id}'`);
    const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
    const initial = node.type === 'compound' && initialOf(machine, node) ? node.initial.actions : [];
    const actions = [
      ...node.entry,
      ...node.exit,
      ...initial,
      ...transitions.flatMap((taken) => taken.actions),
    ];
    for (const action of actions) {
      if (typeof action === 'function' && !isBuiltIn(action)) {
        found.push(`a function as an action in state '${node.id}', which no check would run`);
        continue;
      }
      const implementation =
        typeof action === 'function' ? action : named[typeof action === 'string' ? action : action.type];
      const kind = (implementation as { readonly type?: string } | undefined)?.type;
      if (kind !== undefined && forbidden.has(kind)) {
        found.push(`${kind.slice('xstate.'.length)} in state '${node.id}'`);
      }
    }
  }
  return [...new Set(found)];
}

/** Reports all refused parts of all machines in one error. */
function refuseChildren({ actors }: System): void {
  const alone = Object.values(actors).filter(({ outcomes }) => outcomes === undefined);
  const machines = [...new Set(alone.map(({ machine }) => machine))];
  const refused = machines.map((machine) => [machine, childrenIn(machine)] as const);
  const found = refused.filter(([, uses]) => uses.length > 0);
  if (found.length > 0) throw refusedMachines(found);
  refuseUncompiled(machines);
}

/** XState throws its own error without a code when the machine is first used. */
function initialOf(machine: AnyStateMachine, node: AnyStateNode): unknown {
  try {
    return node.initial;
  } catch (error) {
    throw new SystemError('MACHINE_REFUSED', `machine '${machine.id}': ${reasonOf(error)}`);
  }
}

/** The engine of the runtime must be able to run every checked machine. */
function refuseUncompiled(machines: readonly AnyStateMachine[]): void {
  const found = machines.flatMap((machine) => {
    try {
      compile(machine);
      return [];
    } catch (error) {
      if (!(error instanceof StatechartError)) throw error;
      return [error.message];
    }
  });
  if (found.length > 0) throw new SystemError('MACHINE_REFUSED', found.join('\n'));
}

/**
 * Reports whether `action` comes from `assign`, `raise` or the like: these return functions with a type of
 * their own.
 */
function isBuiltIn(action: object): boolean {
  return 'type' in action && String(action.type).startsWith('xstate.');
}

const forbidden: ReadonlySet<string> = new Set(
  ['sendTo', 'spawnChild', 'stopChild', 'emit'].map((kind) => `xstate.${kind}`),
);

export function refusedMachine(machine: AnyStateMachine, what: string): SystemError {
  return refusedMachines([[machine, [what]]]);
}

/** Returns, for each machine, the refused features that it uses, and their places. */
function refusedMachines(refused: readonly (readonly [AnyStateMachine, readonly string[]])[]): SystemError {
  const uses = refused.map(([{ id }, whats]) => `machine '${id}' uses ${whats.join('; ')}.`);
  return new SystemError(
    'MACHINE_REFUSED',
    `${uses.join('\n')} A checked machine speaks to others only by a named action, { type: 'send', params: ` +
      '{ target, message } }, and has no children: no spawn, invoke, sendTo, emit, self or system. To check it with its children, as XState ' +
      'runs them, give the actor `outcomes` (`{}` where it invokes no promise, callback or observable).',
  );
}

function invalid(why: string): SystemError {
  return new SystemError('SYSTEM_INVALID', `This system contradicts itself. ${why}`);
}
