import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { Action, StateRecord, Trace } from '../system/system.ts';
import { actionText, isUnsent, messageText } from '../system/text.ts';

type Clock = Readonly<Record<string, number>>;

/**
 * The events of a log file: the text, then host and vector clock. Its second line, left empty, separates
 * executions.
 */
const format = '(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})';

/** The host to which the loss of a message belongs. */
const network = 'network';

/** A trace as a log for ShiViz, with a vector clock for every step. https://bestchai.bitbucket.io/shiviz/ */
export function traceShiViz(trace: Trace): string {
  const clocks = new Map<string, Clock>();
  const underWay = new UnderWay(trace.initial);
  const lines = [format, ''];
  for (const { action, effects, state } of trace.steps) {
    const host = action.kind === 'lose' || action.kind === 'break' ? network : action.actor;
    const clock = merged(clocks.get(host) ?? {}, underWay.clockOf(action), host);
    clocks.set(host, clock);
    underWay.follow(action, effects, clock, state);
    const asked = effects.filter(isUnsent);
    const text = [actionText(action), ...asked.map((effect) => messageText(effect))].join(', ');
    lines.push(oneLine(text), `${named(host)} ${JSON.stringify(renamed(clock))}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The messages on their way, oldest first, each with the clock of its sender. */
class UnderWay {
  readonly #sent = new Map<string, Clock[]>();

  constructor(initial: StateRecord) {
    for (const [target, { inbox }] of Object.entries(initial)) {
      for (const { source, message } of inbox) this.#push(keyOf(source, target, message), {});
    }
  }

  /** The clock of the message that the action takes off the network. */
  clockOf(action: Action): Clock {
    if (!('message' in action)) return {};
    return this.#sent.get(keyOf(action.source, action.actor, action.message))?.[0] ?? {};
  }

  /** `clock` is that of the step that led to `state`. */
  follow(action: Action, effects: readonly NamedAction[], clock: Clock, state: StateRecord): void {
    for (const effect of effects) {
      if (effect.type === 'send')
        this.#send(action.actor, effect['target'] as SiteId, effect['message'], clock);
      if (effect.type !== 'broadcast') continue;
      for (const target of Object.keys(state)) {
        if (target !== action.actor) this.#send(action.actor, target, effect['message'], clock);
      }
    }
    if ('message' in action) {
      const key = keyOf(action.source, action.actor, action.message);
      const clocks = this.#sent.get(key) ?? [];
      if (clocks.length > count(state, key)) clocks.shift();
    }
    // Messages that were lost, or sent to an actor that does not receive, are no longer on their way.
    for (const [key, clocks] of this.#sent) clocks.length = Math.min(clocks.length, count(state, key));
  }

  #send(source: SiteId, target: SiteId, message: unknown, clock: Clock): void {
    this.#push(keyOf(source, target, message), clock);
    this.#push(keyOf(null, target, message), clock);
  }

  #push(key: string, clock: Clock): void {
    this.#sent.set(key, [...(this.#sent.get(key) ?? []), clock]);
  }
}

function keyOf(source: SiteId | null, target: SiteId, message: unknown): string {
  return JSON.stringify([source, target, messageText(message as { readonly type: string })]);
}

/** Number of messages with this key in the target's inbox. */
function count(state: StateRecord, key: string): number {
  const [, target] = JSON.parse(key) as [SiteId | null, SiteId];
  const inbox = state[target]?.inbox ?? [];
  return inbox.filter(({ source, message }) => keyOf(source, target, message) === key).length;
}

function merged(own: Clock, other: Clock, host: string): Clock {
  const clock: Record<string, number> = { ...own };
  for (const [id, time] of Object.entries(other)) clock[id] = Math.max(clock[id] ?? 0, time);
  clock[host] = (own[host] ?? 0) + 1;
  return clock;
}

function renamed(clock: Clock): Clock {
  return Object.fromEntries(Object.entries(clock).map(([id, time]) => [named(id), time]));
}

/** A host is a text without spaces. */
function named(id: string): string {
  return id.replace(/\s/g, '_');
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
