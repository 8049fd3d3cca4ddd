import type { SiteId } from '../../machines/actor.ts';
import type { ActorView, StatePredicate, StateView } from '../system/system.ts';

/** The text describes no state. */
export class StateTextError extends Error {
  readonly code = 'STATE_TEXT';
}

type Test = (actor: ActorView) => boolean;

/**
 * Parses a state in words: clauses joined by `and`, each about one site, `some` site or `every` site.
 *
 *     a in client.inCS and b.next = c and not c.token and some in routing.root and a receives TOKEN
 *
 * `in` takes a path of states. `=` and `!=` compare a variable of the context with JSON or plain text. A
 * variable alone requires a value other than `null`, `false` and 0. `receives` requires that such a message
 * is on its way.
 *
 * Throws `StateTextError` with what was expected.
 */
export function predicateOf(text: string, ids: readonly SiteId[]): StatePredicate {
  const clauses = text.trim().split(/\s+and\s+/);
  const tests = clauses.map((clause) => clauseOf(clause, ids));
  return { kind: 'plain', holds: (state) => tests.every((holds) => holds(state)) };
}

function clauseOf(text: string, ids: readonly SiteId[]): (state: StateView) => boolean {
  const [, negated, said] = /^(not\s+)?(.*)$/s.exec(text.trim())!;
  // A name may contain spaces and points, and may begin with another name.
  const who = [...ids, 'some', 'every']
    .filter((id) => said!.startsWith(id) && /^(\s|\.)/.test(said!.slice(id.length)))
    .sort((one, other) => other.length - one.length)[0];
  if (who === undefined) {
    throw new StateTextError(
      `expected one of ${ids.join(', ')}, some or every at the start of "${text}", as in: a in client.inCS`,
    );
  }
  const test = testOf(said!.slice(who.length).trim(), text);
  const holds = (state: StateView) => {
    if (who === 'some') return state.actors.some(test);
    return who === 'every' ? state.actors.every(test) : test(state.actor(who));
  };
  return negated === undefined ? holds : (state) => !holds(state);
}

function testOf(text: string, clause: string): Test {
  const [, path] = /^in\s+([\w.]+)$/.exec(text) ?? [];
  if (path !== undefined) return (actor) => actor.in(path);
  const [, type] = /^receives\s+(\S+)$/.exec(text) ?? [];
  if (type !== undefined) return ({ inbox }) => inbox.some(({ message }) => message.type === type);
  if (text === 'is down') return ({ up }) => !up;
  const [, key, sign, value] = /^\.([\w.]+)(?:\s*(!?=)\s*(.+))?$/.exec(text) ?? [];
  if (key === undefined) {
    throw new StateTextError(
      `expected "in STATE", ".VARIABLE = VALUE", "receives MESSAGE" or "is down" in "${clause}"`,
    );
  }
  if (sign === undefined) return (actor) => Boolean(at(actor, key));
  const wanted = JSON.stringify(parsedOrText(value!));
  return (actor) => (JSON.stringify(at(actor, key) ?? null) === wanted) === (sign === '=');
}

/** The variable, or the value at a path of keys within it. */
function at({ context }: ActorView, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>(
      (value, part) => (typeof value === 'object' && value !== null ? Object(value)[part] : undefined),
      context,
    );
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text without quotes stands for itself. Mostly it is the id of a site.
    return text;
  }
}
