import type { Choice, Configuration, Option, Route, Select } from './configuration.ts';
import { textOf } from './guards.ts';
import { makesCode, Source } from './inline.ts';
import type { At } from './run.ts';

/**
 * Selects the transitions for an event in this configuration. Inner states come first, and each region selects its own.
 */
export function selected(choice: Choice, configuration: Configuration): Select {
  if (!makesCode) return (...args) => follow(choice, ...args);
  const source = new Source();
  writeChoice(choice, source, configuration, 0);
  source.add('return route;');
  return source.function('at, configuration, route') as Select;
}

/**
 * Selects the transitions that need no event: of each atomic state the innermost. `always`: for each atomic state, its `always` and those
 * of its ancestors, innermost first. `null`: there are none.
 */
export function eventless(
  always: readonly (readonly Option[])[],
  configuration: Configuration,
): Select | null {
  if (always.length === 0) return null;
  return selected({ inner: always.map((own) => ({ inner: [], own })), own: [] }, configuration);
}

function follow({ inner, own }: Choice, at: At, configuration: Configuration, route: Route): Route {
  let on = route;
  for (const choice of inner) on = follow(choice, at, configuration, on);
  if (on !== route) return on;
  for (const option of own) {
    if (option.guard === null || option.guard(at, configuration)) return route.with(option);
  }
  return route;
}

function writeChoice(
  { inner, own }: Choice,
  source: Source,
  configuration: Configuration,
  depth: number,
): void {
  const before = `before${depth}`;
  if (inner.length > 0) source.add(`{ const ${before} = route;`);
  for (const choice of inner) writeChoice(choice, source, configuration, depth + 1);
  if (inner.length > 0 && own.length > 0) source.add(`if (route === ${before}) {`);
  writeOptions(own, source, configuration);
  if (inner.length > 0) source.add(own.length > 0 ? '} }' : '}');
}

function writeOptions(own: readonly Option[], source: Source, configuration: Configuration): void {
  for (const [index, option] of own.entries()) {
    const { guard } = option;
    const test = guard ? `if (${textOf(guard, source, configuration)}) ` : '';
    source.add(`${index > 0 ? 'else ' : ''}${test}route = route.with(${source.name(option)});`);
    if (!guard) return;
  }
}
