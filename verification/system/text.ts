import type { NamedAction } from '../../machines/actor.ts';
import type { Action, InFlight, StateRecord, Trace } from './system.ts';

/**
 * Traces and states in words: the acting actor, its action, the messages sent, and every actor after it; `*` marks
 * those that changed.
 */
export function traceText(trace: Trace): string {
  const lines = ['0. At first', ...stateLines(trace.initial, null), ...historyLines(trace)];
  let before = trace.initial;
  let past: WithHistory = trace;
  for (const [index, step] of trace.steps.entries()) {
    const { action, effects, state } = step;
    const done = effects.map(effectText);
    lines.push(
      `${index + 1}. ${[actionText(action), ...done].join(', ')}`,
      ...stateLines(state, before),
      ...historyLines(step, past),
    );
    before = state;
    past = step;
  }
  if (trace.loop !== undefined) {
    const again = trace.loop === 0 ? 'as at first' : `as after step ${trace.loop}`;
    lines.push(
      trace.loop === trace.steps.length
        ? 'From here on nothing need happen, for ever.'
        : `Now all is ${again}: what came since goes on for ever.`,
    );
  }
  return lines.join('\n');
}

/** One line for each actor; with `before`, those that differ from it are marked. */
export function stateText(state: StateRecord, before: StateRecord | null = null): string {
  return stateLines(state, before).join('\n');
}

/** `b receives TOKEN from a`. */
export function actionText(action: Action): string {
  const drawn = 'chance' in action ? (action.chance ?? []) : [];
  return drawn.length === 0
    ? bareText(action)
    : `${bareText(action)}, chance gives ${drawn.map(short).join(', ')}`;
}

function bareText(action: Action): string {
  switch (action.kind) {
    case 'deliver':
      return `${action.actor} receives ${messageText(action.message)}${from(action.source)}`;
    case 'duplicate':
      return `${action.actor} receives a copy of ${messageText(action.message)}${from(action.source)}`;
    case 'lose':
      return `${messageText(action.message)}${from(action.source)} to ${action.actor} is lost`;
    case 'environment':
      return `${action.actor}: ${messageText(action.event)}${togetherText(action.together)}`;
    case 'timer':
      return `${action.actor}: timer ${action.timer} fires`;
    case 'break':
      return `the link from ${action.source} to ${action.actor} breaks and loses the last ${action.lost} under way`;
    case 'crash':
      return `${action.actor} crashes`;
    case 'restart':
      return `${action.actor} starts again`;
  }
}

function togetherText(together: Extract<Action, { kind: 'environment' }>['together']): string {
  const others = Object.entries(together ?? {}).map(([id, event]) => `${id}: ${messageText(event)}`);
  return others.length === 0 ? '' : `, together with ${others.join(', ')}`;
}

/** `REQUEST(origin=b)`. */
export function messageText(message: { readonly type: string }): string {
  const { type, ...fields } = message;
  const params = Object.entries(fields).map(([key, value]) => `${key}=${short(value)}`);
  return params.length === 0 ? type : `${type}(${params.join(', ')})`;
}

/** Reports whether the effect is no message: sends are shown where they arrive. */
export function isUnsent({ type }: NamedAction): boolean {
  return type !== 'send' && type !== 'broadcast';
}

function effectText(effect: NamedAction): string {
  const { type, ...params } = effect;
  if (type === 'send') return `sends ${payload(params['message'])} to ${short(params['target'])}`;
  if (type === 'broadcast') return `sends ${payload(params['message'])} to all others`;
  return messageText(effect);
}

function payload(message: unknown): string {
  return isTyped(message) ? messageText(message) : short(message);
}

function isTyped(value: unknown): value is { readonly type: string } {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function stateLines(state: StateRecord, before: StateRecord | null): string[] {
  const ids = Object.keys(state);
  const width = Math.max(...ids.map((id) => id.length));
  const values = ids.map((id) => (state[id]!.up ? valueText(state[id]!.value) : 'down'));
  const widest = Math.max(...values.map((value) => value.length));
  return ids.map((id, index) => {
    const actor = state[id]!;
    const changed = before !== null && whole(before[id]) !== whole(actor);
    const parts = [
      actor.up ? contextText(id, actor.context) : '',
      ...(actor.inbox.length === 0 ? [] : [`<- ${actor.inbox.map(inFlightText).join(', ')}`]),
      ...(actor.timers.length === 0 ? [] : [`timers ${actor.timers.join(', ')}`]),
      ...(actor.fault === undefined ? [] : [`FAILED: ${actor.fault}`]),
    ];
    const text = parts.filter((part) => part !== '').join('  ');
    return `   ${changed ? '*' : ' '} ${id.padEnd(width)}  ${values[index]!.padEnd(widest)}  ${text}`.trimEnd();
  });
}

type WithHistory = Pick<Trace, 'history'>;

/** Returns the line of the system's history, if there is one, marked if it has changed. */
function historyLines(now: WithHistory, before: WithHistory = now): string[] {
  if (!('history' in now)) return [];
  const changed = whole(now.history) !== whole(before.history);
  // A history without content is not shown.
  if (now.history === null && !changed) return [];
  return [`   ${changed ? '*' : ' '} history: ${short(now.history)}`];
}

/** The active atomic states, without the regions' names: `idle root`. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '-';
  return Object.entries(value)
    .map(([key, inner]) => (isEmpty(inner) ? key : valueText(inner)))
    .join(' ');
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** The context without the parts that only repeat the actor's name. */
function contextText(id: string, context: unknown): string {
  return Object.entries(context as object)
    .filter(([key, value]) => key !== 'self' || value !== id)
    .map(([key, value]) => `${key}=${short(value)}`)
    .join(' ');
}

function inFlightText({ source, message }: InFlight): string {
  return source === null ? messageText(message) : `${messageText(message)} from ${source}`;
}

function from(source: string | null): string {
  return source === null ? '' : ` from ${source}`;
}

/** The text itself, unless it reads as another value: `1`, and `"1"` for the text. */
function short(value: unknown): string {
  if (typeof value !== 'string') return whole(value);
  return /^(-?\d+(\.\d+)?|true|false|null|undefined|[[{"].*)$/.test(value) ? JSON.stringify(value) : value;
}

/** JSON that shows `undefined`. Two values with the same text are equal. */
function whole(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(whole).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const fields = Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}:${whole(part)}`);
  return `{${fields.join(',')}}`;
}
