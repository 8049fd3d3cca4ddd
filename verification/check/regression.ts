import { extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { successors } from '../checker/model.ts';
import { type Compiled, compile, evaluate } from '../system/index.ts';
import type { Action, Property, System, Trace } from '../system/system.ts';
import { actionText } from '../system/text.ts';
import { CheckError } from './errors.ts';
import { noFault, whereItSpeaks } from './questions.ts';
import type { Judged } from './report.ts';
import type { SystemSource } from './source.ts';

/**
 * Takes the actions as far as the system can, and judges the property in each state on the way. Returns the
 * reason why it does not hold, or `null`. A corrected system may refuse an action; the run then ends there.
 * Throws `NO_SUCH_PROPERTY` for a property that the system does not have, or that is not judged state by state.
 * Every initial state is tried.
 */
export function brokenOn(system: System, name: string, actions: readonly Action[]): string | null {
  const property = [noFault, ...system.properties].find((one) => one.name === name);
  if (property === undefined || (property.kind !== 'always' && property.kind !== 'deadlockFree')) {
    const names = system.properties.filter(isOfStates).map((one) => one.name);
    throw new CheckError(
      'NO_SUCH_PROPERTY',
      `expected a property of states of '${system.name}', one of ${names.join(', ')}; got ${name}`,
    );
  }
  const compiled = compile(system, { symmetry: false });
  for (const first of compiled.model.initial) {
    const reason = brokenFrom(compiled, property, actions, first);
    if (reason !== null) return reason;
  }
  return null;
}

function brokenFrom(
  compiled: Compiled,
  property: Extract<Property, { kind: 'always' | 'deadlockFree' }>,
  actions: readonly Action[],
  first: readonly number[],
): string | null {
  const { model } = compiled;
  let state = first;
  for (let steps = 0; ; steps++) {
    const next = [...successors(model, state)];
    const view = compiled.decode(state);
    const isBroken =
      property.kind === 'always'
        ? !evaluate(whereItSpeaks(property), view)
        : next.length === 0 && !(property.quiescent !== undefined && evaluate(property.quiescent, view));
    if (isBroken) return `${property.name} does not hold after ${steps} of ${actions.length} actions`;
    const action = actions[steps];
    const found = next.find(({ step }) => action !== undefined && same(compiled.action(step.action), action));
    if (found === undefined) return null;
    state = found.after;
  }
}

function isOfStates({ kind }: Property): boolean {
  return kind === 'always' || kind === 'deadlockFree';
}

function same(left: Action, right: Action): boolean {
  const sorted = (action: Action) =>
    JSON.stringify(Object.entries(action).sort(([one], [other]) => (one < other ? -1 : 1)));
  return sorted(left) === sorted(right);
}

/**
 * Returns a Vitest file that repeats the run to each violation and fails while the fault exists. `folder`:
 * the directory of the file. Returns `null` if no property of states is violated with a trace.
 */
export function regressionTest(
  source: SystemSource,
  properties: readonly Judged[],
  folder: string,
): string | null {
  const violated = properties.flatMap(({ name, kind, verdict, trace }) =>
    verdict === 'violated' && trace !== undefined && isOfStates({ kind } as Property)
      ? [{ name, trace }]
      : [],
  );
  if (violated.length === 0) return null;
  const importOf = (url: string) => {
    const path = relative(folder, fileURLToPath(url)).replaceAll('\\', '/');
    return JSON.stringify(path.startsWith('.') ? path : `./${path}`);
  };
  const { module, export: exported = 'default', options } = source;
  return `import { expect, test } from 'vitest';
import { brokenOn } from ${importOf(import.meta.url)};
import { systemIn } from ${importOf(import.meta.resolve(`./source${extname(import.meta.url)}`))};
import * as exports from ${importOf(module)};

const system = systemIn(exports, ${JSON.stringify(exported)}, ${JSON.stringify(options ?? null)});

${violated.map(testText).join('\n')}`;
}

function testText({ name, trace }: { readonly name: string; readonly trace: Trace }): string {
  const actions = trace.steps.map(
    ({ action }) => `    // ${actionText(action)}\n    ${JSON.stringify(action)},\n`,
  );
  return `test(${JSON.stringify(`${name}, after ${trace.steps.length} actions`)}, () => {
  const actions = [
${actions.join('')}  ] as const;
  expect(brokenOn(system, ${JSON.stringify(name)}, actions)).toBeNull();
});
`;
}
