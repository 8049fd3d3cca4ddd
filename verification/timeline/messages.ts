import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { Action, StateRecord } from '../system/system.ts';
import type { Message, TypedValue } from './format.ts';
import { sorted } from './taken.ts';

interface Sent {
  readonly target: SiteId;
  readonly source: SiteId;
  readonly message: TypedValue;
}

/**
 * Follows every message of a trace from its sending to its end. A state tells which messages are on their
 * way, but not since when. Among equal messages between the same two sites, the oldest one is taken first.
 */
export class Messages {
  readonly all: Message[] = [];
  /** Indices in `all`, oldest first. */
  readonly #underWay = new Map<string, number[]>();

  constructor(initial: StateRecord) {
    this.#appear(initial, 0);
  }

  /**
   * Follows the step that led to moment `moment`. Returns the message that it took off the network or used.
   */
  follow(action: Action, effects: readonly NamedAction[], state: StateRecord, moment: number): number | null {
    const named = 'message' in action ? keyOf(action.actor, action.source, action.message) : null;
    const message = named === null ? null : (this.#underWay.get(named)?.[0] ?? null);
    const fate = action.kind === 'deliver' ? 'received' : 'lost';
    const sent = sentBy(action.actor, effects, Object.keys(state));
    if (message !== null && !this.#stays(named!, sent, state)) this.#end(named!, message, moment, fate);
    for (const { target, source, message } of sent) this.#send(target, source, message, moment);
    this.#vanish(state, moment);
    this.#appear(state, moment);
    return message;
  }

  /** True when a copy was taken and the message itself stays on its way. */
  #stays(key: string, sent: readonly Sent[], state: StateRecord): boolean {
    const again = sent.filter(({ target, source, message }) =>
      [keyOf(target, source, message), keyOf(target, null, message)].includes(key),
    );
    const known = this.#underWay.get(key)!.length;
    return (countsOf(state).get(key) ?? 0) >= known + again.length;
  }

  #send(target: SiteId, source: SiteId, message: TypedValue, moment: number): void {
    const index =
      this.all.push({ source, target, message, sent: moment, ended: null, fate: 'under way' }) - 1;
    this.#push(keyOf(target, source, message), index);
    this.#push(keyOf(target, null, message), index);
  }

  #push(key: string, index: number): void {
    const known = this.#underWay.get(key);
    if (known === undefined) this.#underWay.set(key, [index]);
    else known.push(index);
  }

  #end(key: string, index: number, moment: number, fate: Message['fate']): void {
    const { source, target, message } = this.all[index]!;
    this.all[index] = { ...this.all[index]!, ended: moment, fate };
    for (const other of new Set([key, keyOf(target, source, message), keyOf(target, null, message)])) {
      const left = (this.#underWay.get(other) ?? []).filter((one) => one !== index);
      if (left.length === 0) this.#underWay.delete(other);
      else this.#underWay.set(other, left);
    }
  }

  /**
   * Ends the messages that are no longer on their way and were not taken. They were lost in a crash, in a
   * break, or at a target that does not receive.
   */
  #vanish(state: StateRecord, moment: number): void {
    const counted = countsOf(state);
    for (const [key, indices] of [...this.#underWay]) {
      if (this.#isDouble(key, state)) continue;
      for (const index of indices.slice(counted.get(key) ?? 0)) this.#end(key, index, moment, 'lost');
    }
  }

  /** Adds the messages that are on their way and have no known sending. */
  #appear(state: StateRecord, moment: number): void {
    for (const [target, { inbox }] of Object.entries(state)) {
      for (const { source, message } of inbox) {
        const key = keyOf(target, source, message);
        const known = this.#underWay.get(key)?.length ?? 0;
        const present = inbox.filter((other) => keyOf(target, other.source, other.message) === key).length;
        if (known >= present) continue;
        const found = { source, target, message: message as TypedValue, sent: moment, ended: null };
        this.#push(key, this.all.push({ ...found, fate: 'under way' }) - 1);
      }
    }
  }

  /** Each message has two keys, with its source and without it. The network uses one of them. */
  #isDouble(key: string, state: StateRecord): boolean {
    const [, source] = JSON.parse(key) as [SiteId, SiteId | null, string];
    const keepsSource = this.#keepsSource(state);
    return keepsSource === null ? source === null : keepsSource !== (source !== null);
  }

  #source: boolean | null = null;

  #keepsSource(state: StateRecord): boolean | null {
    const any = Object.values(state).flatMap(({ inbox }) => inbox)[0];
    if (any !== undefined) this.#source = any.source !== null;
    return this.#source;
  }
}

function sentBy(source: SiteId, effects: readonly NamedAction[], sites: readonly SiteId[]): readonly Sent[] {
  return effects.flatMap((effect) => {
    const message = effect['message'] as TypedValue;
    if (effect.type === 'send') return [{ target: effect['target'] as SiteId, source, message }];
    if (effect.type !== 'broadcast') return [];
    return sites.filter((site) => site !== source).map((target) => ({ target, source, message }));
  });
}

function countsOf(state: StateRecord): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [target, { inbox }] of Object.entries(state)) {
    for (const { source, message } of inbox) {
      const key = keyOf(target, source, message);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

function keyOf(target: SiteId, source: SiteId | null, message: unknown): string {
  return JSON.stringify([target, source, sorted(message)]);
}
