import { SystemError } from './errors.ts';
import { withoutClockAndChance } from './purity.ts';
import type { ActorView, StatePredicate, StateView } from './system.ts';
import { stateText } from './text.ts';

/**
 * Number of calls of a system's function that are repeated. A predicate that counts its calls then differs at
 * once.
 */
const askedTwice = 50;

/**
 * Calls a function of a system's author. One that throws is an error of the system, not of what is checked:
 * `CALLBACK_FAILED` names the function (`what`) and what it was asked about (`about`). So is one that is async.
 */
export function called<Result>(what: string, about: () => string, call: () => Result): Result {
  let result: Result;
  try {
    result = call();
  } catch (error) {
    // A refusal from within, or from an outer callback that has been reported already.
    if (error instanceof SystemError) throw namedIn(error, what);
    const said = error instanceof Error ? error.message : String(error);
    throw new SystemError('CALLBACK_FAILED', `${what} threw: ${said}. It was asked about\n${about()}`, {
      cause: error,
    });
  }
  if (!isPromise(result)) return result;
  result.then(undefined, () => {});
  throw new SystemError(
    'PREDICATE_INVALID',
    `${what} answered a promise. It must not be async. It was asked about\n${about()}`,
  );
}

/** A refused read of a view does not know the predicate in which it happened. Its name is added here. */
function namedIn(error: SystemError, what: string): SystemError {
  if (!error.reason.startsWith(nameless)) return error;
  const reason = what + error.reason.slice(nameless.length);
  return new SystemError(error.code, reason, { cause: error });
}

const nameless = 'A predicate';

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** A value that a function of the author returned, as errors show it. */
export function saidText(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return value === undefined ? 'undefined. Does it lack a return?' : JSON.stringify(value);
}

/**
 * A function of a system's author, called as by `called`. The first answers are asked for twice, with the
 * clock and chance locked. Both must be the same, because answers are remembered.
 */
export function steady<Args extends readonly unknown[], Result>(
  what: string,
  about: (...args: Args) => string,
  call: (...args: Args) => Result,
): (...args: Args) => Result {
  const ask = unchanging(
    what,
    (args: Args) => about(...args),
    (args: Args) =>
      called(
        what,
        () => about(...args),
        () => call(...args),
      ),
    true,
    'to the same question',
  );
  return (...args) => ask(args);
}

/** `called`, of a function that answers true or false and nothing else: `PREDICATE_INVALID`. */
export function asked(what: string, about: () => string, call: () => unknown): boolean {
  const answer = called(what, about, call);
  if (typeof answer === 'boolean') return answer;
  throw notBoolean(what, answer, about);
}

function notBoolean(what: string, answer: unknown, about: () => string): SystemError {
  const came = typeof answer === 'function' ? 'a function' : String(answer);
  const advice =
    answer === undefined ? 'Does it lack a return?' : 'Write !!(…) or Boolean(…) where any value is meant';
  return new SystemError(
    'PREDICATE_INVALID',
    `${what} must answer true or false, and answered ${came}. ${advice}. It was asked about\n${about()}`.replace(
      '?.',
      '?',
    ),
  );
}

/** The functions of an author, by the functions that wrap them. */
const originals = new WeakMap<object, (...args: never[]) => unknown>();

/** Records that `wrapper` wraps `original`, so that errors show the text that the author wrote. */
export function writtenAs<Wrapper extends object>(
  original: (...args: never[]) => unknown,
  wrapper: Wrapper,
): Wrapper {
  originals.set(wrapper, original);
  return wrapper;
}

/** Returns the text of a function as its author wrote it. */
export const textOfFunction = (given: object): string => String(originals.get(given) ?? given);

/** An actor as errors show it. */
export const actorText = (actor: ActorView): string => stateText({ [actor.id]: recordOf(actor) });

/** A whole state as errors show it. */
export const viewText = ({ actors, history }: StateView): string =>
  [
    stateText(Object.fromEntries(actors.map((actor) => [actor.id, recordOf(actor)]))),
    ...(history === undefined ? [] : [`     history: ${JSON.stringify(history)}`]),
  ].join('\n');

function recordOf({ up, value, context, inbox, timers, fault }: ActorView) {
  return { up, value, context, inbox, timers, ...(fault === undefined ? {} : { fault }) };
}

/** Returns the predicate of `what` with every function guarded as above, and repeated while it is new. */
export function guarded(predicate: StatePredicate, what: string): StatePredicate {
  const yes = <Subject>(
    call: (subject: Subject) => unknown,
    about: (subject: Subject) => string,
    asksAgain = true,
  ) =>
    unchanging(
      what,
      about,
      (subject: Subject) =>
        asked(
          what,
          () => about(subject),
          () => call(subject),
        ),
      asksAgain,
    );
  const any = <Result>(call: (actor: ActorView) => Result) =>
    unchanging(what, actorText, (actor: ActorView) =>
      called(
        what,
        () => actorText(actor),
        () => call(actor),
      ),
    );
  const ofNumber = (of: string) => (sum: number) => `     ${of} ${sum}`;
  switch (predicate.kind) {
    case 'every':
    case 'some':
      return { ...predicate, is: yes(predicate.is, actorText) };
    case 'count':
      return { ...predicate, of: any(predicate.of), is: yes(predicate.is, ofNumber('a sum of')) };
    case 'tally':
      return { ...predicate, names: any(predicate.names), is: yes(predicate.is, ofNumber('a tally of')) };
    case 'relation': {
      const { of, holds } = predicate;
      return {
        ...predicate,
        of: (actor, indexOf) =>
          int32(
            what,
            actor,
            called(
              what,
              () => actorText(actor),
              () => of(actor, indexOf),
            ),
          ),
        holds: (observed, history) => {
          let answer: unknown;
          try {
            answer = holds(observed, history);
          } catch (error) {
            return called(
              what,
              () => observedText(observed, history),
              () => {
                throw error;
              },
            );
          }
          if (typeof answer === 'boolean') return answer;
          throw notBoolean(what, answer, () => observedText(observed, history));
        },
      };
    }
    case 'plain':
      // The reads of the judged state are recorded during the call.
      return { ...predicate, holds: yes(predicate.holds, viewText, false) };
    case 'and':
    case 'or':
      return { ...predicate, of: predicate.of.map((part) => guarded(part, what)) };
    case 'not':
      return { ...predicate, of: guarded(predicate.of, what) };
  }
}

function observedText(observed: Int32Array, history: unknown): string {
  return `     the numbers ${observed.join(', ')}${history === undefined ? '' : `, history: ${JSON.stringify(history)}`}`;
}

function int32(what: string, actor: ActorView, value: number): number {
  if ((value | 0) === value) return value;
  throw new SystemError(
    'PREDICATE_INVALID',
    `${what} must give a whole number from -2^31 to 2^31 - 1 for each actor, and gave ${String(value)}. It was asked ` +
      `about\n${actorText(actor)}`,
  );
}

/**
 * Repeats the first calls with the clock and chance locked: both answers must be the same. `asksAgain`: so
 * must the very first answer, at each of them.
 */
function unchanging<Subject, Result>(
  what: string,
  about: (subject: Subject) => string,
  call: (subject: Subject) => Result,
  asksAgain = true,
  of = 'about the same state',
): (subject: Subject) => Result {
  let left = askedTwice;
  let first: { readonly subject: Subject; readonly answer: Result } | null = null;
  const refuseUnlike = (subject: Subject, once: Result, again: Result) => {
    if (JSON.stringify(once) === JSON.stringify(again)) return;
    throw new SystemError(
      'PREDICATE_INVALID',
      `${what} answers ${JSON.stringify(once)} and then ${JSON.stringify(again)} ${of}. It may look at ` +
        `what it is given only, and remember nothing. It was asked about\n${about(subject)}`,
    );
  };
  return (subject) => {
    if (left === 0) return call(subject);
    left--;
    const [once, again] = withoutClockAndChance(
      () => [call(subject), call(subject)] as const,
      (door) => impure(what, door),
    );
    refuseUnlike(subject, once, again);
    // A predicate that counts its calls may change its answer between two of them.
    if (first !== null && asksAgain) refuseUnlike(first.subject, first.answer, call(first.subject));
    first ??= { subject, answer: once };
    return once;
  };
}

const impure = (what: string, door: string): SystemError =>
  new SystemError(
    'PREDICATE_INVALID',
    `${what} reads ${door}. It may look at what it is given, and at nothing else.`,
  );
