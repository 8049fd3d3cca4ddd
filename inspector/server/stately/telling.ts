import { messageText } from '../../../verification/system/text.ts';
import { forgettable, messagesAfter, stepsAfter } from '../../../verification/timeline/forget.ts';
import type {
  Chart,
  Message,
  SiteState,
  Timeline,
  TimelineStep,
  TypedValue,
} from '../../../verification/timeline/format.ts';
import { chartFrom, takenFrom } from './machine.ts';
import type { StatelyEvent, StatelySnapshot } from './schema.ts';

interface Inspected {
  /** Its name on the time line. */
  readonly id: string;
  /** Its statechart's name, or its own without the number at the end. */
  readonly group: string;
  readonly chart: Chart | null;
  state: SiteState;
  /** Indices of the messages that it has not taken yet. */
  waiting: number[];
}

const absent: SiteState = { up: false, value: null, context: {} };

/** The messages of apps through @statelyai/inspect, as a timeline. */
export class StatelyTelling {
  steps: TimelineStep[] = [];
  messages: Message[] = [];
  /** Number of earlier steps that are no longer kept. */
  forgotten = 0;
  readonly #actors = new Map<string, Inspected>();
  #start: Timeline['start'] = { sites: {}, verdicts: [] };

  /** Number of actors. */
  get edition(): number {
    return this.#actors.size;
  }

  get timeline(): Timeline {
    const actors = [...this.#actors.values()];
    return {
      version: 1,
      title: 'inspected actors',
      about: `${actors.length} actors, told by @statelyai/inspect`,
      sites: actors.map(({ id, group, chart }) => ({ id, machine: chart === null ? null : id, group })),
      machines: Object.fromEntries(actors.flatMap(({ id, chart }) => (chart === null ? [] : [[id, chart]]))),
      properties: [],
      critical: [],
      start: this.#start,
      steps: [...this.steps],
      messages: [...this.messages],
      ...(this.forgotten > 0 && { forgotten: this.forgotten }),
    };
  }

  /** Keeps at most `most` steps, the newest. */
  keep(most: number): void {
    const count = forgettable(this.steps.length, most);
    if (count === 0) return;
    const kept = messagesAfter(this.messages, count);
    const { start, steps } = stepsAfter({ start: this.#start, steps: this.steps }, count, kept);
    this.#start = start;
    this.steps = steps;
    this.messages = [...kept.messages];
    for (const actor of this.#actors.values()) {
      actor.waiting = actor.waiting.map((index) => kept.indices.get(index)!);
    }
    this.forgotten += count;
  }

  /**
   * Takes what an app told; sessions are known within one `connection`, and those of another where this one has none of
   * the name.
   */
  tell(connection: number, told: StatelyEvent): void {
    switch (told.type) {
      case '@xstate.actor':
        this.#begin(connection, told);
        break;
      case '@xstate.event': {
        const source = told.sourceId === undefined ? null : this.#find(connection, told.sourceId);
        const target = this.#find(connection, told.sessionId);
        if (source !== null && target !== null) this.#post(source, target, told.event);
        break;
      }
      case '@xstate.snapshot': {
        const actor = this.#find(connection, told.sessionId);
        if (actor !== null) this.#take(actor, told.event, stateOf(told.snapshot));
      }
    }
  }

  #find(connection: number, session: string): Inspected | null {
    const own = this.#actors.get(`${connection} ${session}`);
    if (own !== undefined) return own;
    const named = [...this.#actors].findLast(([key]) => key.slice(key.indexOf(' ') + 1) === session);
    return named?.[1] ?? null;
  }

  #begin(connection: number, told: Extract<StatelyEvent, { type: '@xstate.actor' }>): void {
    const key = `${connection} ${told.sessionId}`;
    if (this.#actors.has(key)) return;
    const taken = new Set([...this.#actors.values()].map(({ id }) => id));
    const name = told.name ?? told.sessionId;
    let id = name;
    for (let count = 2; taken.has(id); count++) id = `${name} ${count}`;
    const chart = chartFrom(told.definition);
    const state = told.snapshot ? stateOf(told.snapshot) : { up: true, value: null, context: {} };
    const group = chart === null || chart.root.id === '(machine)' ? stemOf(name) : chart.root.id;
    const actor: Inspected = { id, group, chart, state, waiting: [] };
    this.#actors.set(key, actor);
    this.#start = { ...this.#start, sites: { ...this.#start.sites, [id]: absent } };
    this.#step(actor, { kind: 'start', text: `${id} starts` });
  }

  #post(source: Inspected, target: Inspected, message: TypedValue): void {
    target.waiting.push(this.messages.length);
    this.messages.push({
      source: source.id,
      target: target.id,
      message,
      sent: this.steps.length,
      ended: null,
      fate: 'under way',
    });
  }

  #take(actor: Inspected, event: TypedValue, state: SiteState): void {
    const { id, chart, waiting } = actor;
    const same = JSON.stringify(event);
    const message = waiting.find((index) => JSON.stringify(this.messages[index]!.message) === same) ?? null;
    const before = actor.state;
    actor.state = state;
    if (message !== null) {
      actor.waiting = waiting.filter((index) => index !== message);
      this.messages[message] = { ...this.messages[message]!, ended: this.steps.length + 1, fate: 'received' };
    }
    const from = message === null ? null : this.messages[message]!.source;
    this.#step(actor, {
      kind: from === null ? 'environment' : 'deliver',
      text:
        from === null ? `${id}: ${messageText(event)}` : `${id} receives ${messageText(event)} from ${from}`,
      event,
      message,
      taken: chart === null ? [] : takenFrom(chart, before.value, event.type, state.value),
    });
  }

  #step({ id, state }: Inspected, step: Pick<TimelineStep, 'kind' | 'text'> & Partial<TimelineStep>): void {
    this.steps.push({
      site: id,
      event: null,
      message: null,
      effects: [],
      taken: [],
      ...step,
      sites: { [id]: state },
      verdicts: {},
    });
  }
}

/** `todo` of `todo-12`, `todo:12`, `todo 12`. */
function stemOf(name: string): string {
  return name.replace(/[-_.:# ]?\d+$/, '') || name;
}

function stateOf({ status, value, context, error }: StatelySnapshot): SiteState {
  const fault = status === 'error' ? { fault: JSON.stringify(error) ?? 'it failed' } : {};
  return { up: status !== 'stopped', value: value ?? null, context: context ?? {}, ...fault };
}
