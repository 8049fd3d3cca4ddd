import * as xstate from 'xstate';

/*
 * Stands for XState in the modules of the corpus. Machines are XState's own and are remembered. An actor ends the module:
 * what follows would run the application.
 */

export * from 'xstate';

/** The machines that were made since it was emptied. */
export const made: xstate.AnyStateMachine[] = [];

/** Thrown where a module creates an actor. */
export const ended = new Error('the module goes on to run its application');

const remembered = <Machine>(machine: Machine): Machine => {
  made.push(machine as xstate.AnyStateMachine);
  return machine;
};

type Create = (...given: readonly unknown[]) => unknown;

const recording =
  (create: unknown): Create =>
  (...given) =>
    remembered((create as Create)(...given));

export const createMachine = recording(xstate.createMachine);

export function setup(...given: readonly unknown[]): object {
  const own = (xstate.setup as unknown as (...given: readonly unknown[]) => { createMachine: unknown })(
    ...given,
  );
  return { ...own, createMachine: recording(own.createMachine) };
}

export function createActor(): never {
  throw ended;
}

/** The cases of a test, to be run. */
export const cases: (() => unknown)[] = [];

const test = Object.assign((_: string, run: () => unknown) => void cases.push(run), {
  each: () => () => {},
  skip: () => {},
  todo: () => {},
  only: () => {},
});
const group = (_: string, run: () => void) => run();
const describe = Object.assign(group, { each: () => () => {}, skip: () => {}, only: group });

/** Can be called, read and extended; gives itself. */
const anything: object = new Proxy(() => {}, {
  get: (_, key) => (key === 'then' ? undefined : anything),
  apply: () => anything,
});
const nothing = () => {};

/** The globals that a test expects. */
export const globalsOfTests = {
  test,
  it: test,
  describe,
  expect: anything,
  vi: anything,
  ...{ beforeEach: nothing, afterEach: nothing, beforeAll: nothing, afterAll: nothing },
};
