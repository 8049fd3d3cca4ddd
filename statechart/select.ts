import type { Choice, Configuration, Option, Route } from './configuration.ts';
import type { At } from './run.ts';

/**
 * Extends `route` with the transitions selected for an event in a state. Inner states come first, and each
 * region selects its own.
 */
export function selected({ inner, own }: Choice, at: At, configuration: Configuration, route: Route): Route {
  let on = route;
  for (const choice of inner) on = selected(choice, at, configuration, on);
  return on === route ? firstOf(own, at, configuration, route) : on;
}

/** The transitions that need no event. For each atomic state the innermost is selected. */
export function eventless(at: At, configuration: Configuration): Route {
  let on = configuration.start;
  for (const options of configuration.always) on = firstOf(options, at, configuration, on);
  return on;
}

function firstOf(options: readonly Option[], at: At, configuration: Configuration, route: Route): Route {
  for (const option of options) {
    if (option.guard === null || option.guard(at, configuration)) return route.with(option);
  }
  return route;
}
