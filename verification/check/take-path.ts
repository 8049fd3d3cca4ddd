import { isDeepStrictEqual } from 'node:util';
import type { AnyStateMachine } from 'xstate';
import type { ChildView } from '../system/system.ts';
import { holdsMore, read } from '../system/tree/canonical.ts';
import { DrivenActor, type Happening, pathOf, visible } from '../system/tree/driven.ts';
import { CheckError } from './errors.ts';
import { type MachineModule, machineIn } from './machine.ts';
import { activeBelow, type PathStep } from './paths.ts';

/** The snapshot of one actor. */
type Held = Pick<ChildView, 'status' | 'value' | 'context'>;

/** The actor under test. It does nothing by itself. */
export interface PathAdapter {
  /**
   * Makes the event happen and waits for its effects. `false`: it cannot happen now. `chance`: the values of the clock and of
   * random numbers that the event reads, in order, where the module declares them.
   */
  happen(happening: Happening, chance?: readonly unknown[]): Promise<boolean>;
  /** Returns the present state; `null`: the actor has failed. Without `children`, those are not compared. */
  state(): PathStep['expected'];
  /** Called at the end of the path, whether it was taken or not. */
  stop(): void;
}

/**
 * The default adapter: XState's own actor of a machine. The path controls its clock and the logic that it
 * invokes.
 */
export function adapterOf(machine: AnyStateMachine, module: MachineModule): PathAdapter {
  const input = module.inputs?.[0] ?? module.input;
  const driven = new DrivenActor(machine, module.outcomes, input, module.chance);
  return {
    happen: (happening, chance) => driven.happen(happening, chance),
    state: () => {
      if (driven.failed) return null;
      const { '': root, ...below } = driven.state((held) => held) as Readonly<Record<string, Held>>;
      const show = (context: unknown) => visible(context, pathOf);
      return { value: root!.value, context: show(root!.context), ...activeBelow(below, show) };
    },
    stop: () => driven.stop(),
  };
}

/**
 * Takes a path of `baton paths` and compares each state with the expectation of the model. Throws
 * `CheckError` with code `PATH_DIFFERS` at the first difference. `adapter` supplies the actor under test;
 * default: XState's own actor.
 */
export async function takePath(
  exports: Readonly<Record<string, unknown>>,
  initial: PathStep['expected'],
  steps: readonly PathStep[],
  adapter: (machine: AnyStateMachine, module: MachineModule) => PathAdapter = adapterOf,
): Promise<void> {
  const machine = machineIn(exports);
  if (machine === null)
    throw new CheckError('SOURCE_INVALID', 'Expected a module that exports a machine of XState.');
  const tested = adapter(machine, exports as MachineModule);
  try {
    compare('at first', tested.state(), initial);
    for (const [index, { happening, chance, expected }] of steps.entries()) {
      const where = `after step ${index + 1}, ${JSON.stringify(happening)}`;
      if (!(await tested.happen(given(happening), chance))) throw differs(`${where} cannot happen`);
      compare(where, tested.state(), expected);
    }
  } finally {
    tested.stop();
  }
}

/** The event from outside with its dates, sets and maps, of which a path holds the written form. */
function given(happening: Happening): Happening {
  if (!('event' in happening) || !holdsMore(happening.event)) return happening;
  return { event: read(happening.event, () => undefined) as { readonly type: string } };
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify({ value }));

function compare(where: string, is: PathStep['expected'], expected: PathStep['expected']): void {
  const { children, ...alone } = expected ?? {};
  const compared = is !== null && is.children === undefined && expected !== null ? alone : expected;
  if (isDeepStrictEqual(plain(is), plain(compared))) return;
  throw differs(`${where} it is ${JSON.stringify(is)}, and the model expects ${JSON.stringify(expected)}`);
}

function differs(what: string): CheckError {
  return new CheckError('PATH_DIFFERS', `The actor and the model differ: ${what}.`);
}
