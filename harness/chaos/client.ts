import { setTimeout as sleep } from 'node:timers/promises';
import type { Held, Lock } from '../../runtime/index.ts';
import type { Entry, OfSection } from '../../verification/runs/histories/history.ts';
import { Draws } from './draws.ts';
import type { Pace, WriteRequest } from './messages.ts';
import { now } from './now.ts';

export interface ClientOptions {
  readonly site: string;
  readonly lock: Lock;
  readonly life: number;
  readonly record: (entry: Entry) => void;
  /** Sends a request to the resource. */
  readonly write: (request: WriteRequest) => Promise<{ readonly accepted: boolean; readonly value: number }>;
}

/** The course of a critical section between its two writes. */
export interface Plan {
  /** Called after the first write. */
  readonly hold: () => Promise<unknown>;
  /** Write even after the loss of the lock is known: then only the gate protects the resource. */
  readonly careless: boolean;
  /** Aborts the wait. */
  readonly cancel?: AbortSignal;
  /** Time in ms to stay inside after `leave` was refused, until the loss of the lock is known. Default 0. */
  readonly lingerMs?: number;
}

/** A client of the lock, which records everything that it observes. */
export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** One critical section: an enter, a hold, a leave. */
  async section(name: string, { hold, careless, cancel, lingerMs = 0 }: Plan): Promise<void> {
    const { site, lock, life, record, write } = this.#options;
    const of = (): OfSection => ({ at: now(), site, life, section: name });
    record({ type: 'ask', ...of() });
    let held: Held;
    try {
      held = await lock.acquire(cancel && { signal: cancel });
    } catch (error) {
      const given = cancel?.aborted === true && error === cancel.reason;
      record(
        given
          ? { type: 'cancel', ...of() }
          : { type: 'rejected', ...of(), code: codeOf(error) ?? String(error) },
      );
      return;
    }
    const { fence } = held;
    record({ type: 'grant', ...of(), fence });
    let over = false;
    const ended = () => {
      over = true;
      if (codeOf(held.signal.reason) === 'LOCK_LOST') record({ type: 'lost', ...of() });
    };
    if (held.signal.aborted) ended();
    else held.signal.addEventListener('abort', ended);
    const request = { site, section: name, fence };
    const entered = await write({ ...request, step: 'enter', value: 0 });
    if (entered.accepted) {
      record({ type: 'acknowledged', ...of(), step: 'enter' });
      await hold();
      if (careless || !over) {
        const left = await write({ ...request, step: 'leave', value: entered.value + 1 });
        if (left.accepted) record({ type: 'acknowledged', ...of(), step: 'leave' });
        else for (const until = now() + lingerMs; !over && now() < until; ) await sleep(1);
      }
    }
    if (!over) record({ type: 'release', ...of() });
    held.release();
  }

  /** Runs section after section until `ended`. Every random choice comes from `seed`. */
  async work(name: string, seed: number, pace: Pace, ended: AbortSignal): Promise<void> {
    const draws = new Draws(seed);
    for (let count = 0; !ended.aborted; count++) {
      const [pauseMs, holdMs] = [draws.whole(0, pace.pauseMs), draws.whole(0, pace.holdMs)];
      const [careless, cancels] = [draws.percent(50), draws.percent(pace.cancelPercent)];
      const patienceMs = draws.whole(1, pace.patienceMs);
      await sleep(pauseMs);
      if (ended.aborted) return;
      const impatient = new AbortController();
      const timer = cancels ? setTimeout(() => impatient.abort(), patienceMs) : undefined;
      await this.section(`${name}.${count}`, {
        hold: () => sleep(holdMs),
        careless,
        cancel: impatient.signal,
      });
      clearTimeout(timer);
    }
  }
}

export function codeOf(error: unknown): string | undefined {
  return (error as { readonly code?: string } | null)?.code;
}
