import { type Attributes, type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { reasonOf } from '../../machines/errors.ts';
import type { Clock } from '../api/clock.ts';
import type { Cluster } from '../api/cluster.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Fence } from '../api/fence.ts';
import type { Held } from '../api/lock.ts';
import type { Notice } from '../api/notice.ts';
import type { TelemetryOptions } from '../options/schema.ts';
import {
  type AcquireMessage,
  callersWatched,
  channels,
  type GrantMessage,
  type Origin,
  publishNotice,
  type ReleaseMessage,
  settled,
  traced,
} from './channels.ts';
import { Instruments, meterOf } from './instruments.ts';
import { inside, Traced } from './traced.ts';
import { tracerOf } from './tracer.ts';

export interface TelemetrySetting {
  readonly origin: Origin;
  readonly clock: Clock;
}

/** One caller's asking, told once how it went. */
interface Asked {
  readonly message: AcquireMessage;
  granted(held: Held): Held;
  /** Nothing happens when it was granted before. */
  failed(error: unknown): void;
}

/**
 * The metrics and spans of one site, by OpenTelemetry, and its channels of `node:diagnostics_channel`. It only looks
 * on: while it is not `watching`, callers pass it by.
 */
export class Telemetry {
  readonly #setting: TelemetrySetting;
  readonly #site: Attributes;
  #lockNames: TelemetryOptions['lockNames'];
  #instruments: Instruments | null = null;
  #tracer: Tracer | null = null;
  #recording = false;
  #waiting = 0;
  #held = 0;
  #adopted = 0;

  constructor(setting: TelemetrySetting) {
    this.#setting = setting;
    const { cluster, site } = setting.origin;
    this.#site = { 'baton.cluster.name': cluster, 'baton.site.id': site };
  }

  /** From now on there are metrics and spans, if a meter or a tracer takes them. `site` is read when metrics are collected. */
  begin(site: Pick<Cluster, 'status' | 'counters'>, options: TelemetryOptions = {}): void {
    const meter = meterOf(options);
    const read = () => ({
      status: site.status(),
      counters: site.counters(),
      waiting: this.#waiting,
      held: this.#held,
      adopted: this.#adopted,
    });
    this.#lockNames = options.lockNames;
    this.#instruments = meter && new Instruments(meter, this.#site, read);
    this.#tracer = tracerOf(options);
    this.#recording = this.#instruments !== null || this.#tracer !== null;
  }

  /** Reports whether it needs the calls of local callers. */
  get watching(): boolean {
    return this.#recording || callersWatched();
  }

  /** Calls `ask`, and watches the lock that it gives from then on. */
  async acquire(lock: string, ask: () => Promise<Held>): Promise<Held> {
    const asked = this.#ask(lock);
    try {
      return asked.granted(await traced(asked.message, ask));
    } catch (error) {
      asked.failed(error);
      throw error;
    }
  }

  /** `start` runs what it is given in the critical section, and releases it. */
  async run<T>(
    lock: string,
    start: (work: (held: Held) => Promise<T>) => Promise<T>,
    work: (held: Held) => T | Promise<T>,
  ): Promise<T> {
    const asked = this.#ask(lock);
    try {
      return await traced(asked.message, () =>
        start(async (held) => {
          const watched = asked.granted(held);
          try {
            return await inside(watched, work);
          } finally {
            watched.release();
          }
        }),
      );
    } catch (error) {
      asked.failed(error);
      throw error;
    }
  }

  /** Watches a lock that was granted without waiting. */
  entered(held: Held): Held {
    try {
      return this.#ask(held.lock).granted(held);
    } catch (error) {
      held.release();
      throw error;
    }
  }

  readonly notice = (notice: Notice): void => {
    if (notice.type === 'adopted') this.#adopted += 1;
    publishNotice(this.#setting.origin, notice);
  };

  /** The site is closed, and read no more. */
  close(): void {
    this.#instruments?.close();
  }

  #ask(lock: string): Asked {
    const { origin, clock } = this.#setting;
    // The functions called here may throw; at this point no request has been made.
    const attributes = this.#attributes(lock);
    const began = clock.now();
    const span = this.#span('baton.acquire', lock);
    const message: AcquireMessage = { ...origin, lock };
    this.#waiting += 1;
    let waits = true;
    return {
      message,
      granted: (held) => {
        waits = false;
        this.#waiting -= 1;
        const { fence } = held;
        const waitedMs = this.#record('wait', attributes, began, null);
        end(span, null, fence);
        if (channels.grant.hasSubscribers)
          channels.grant.publish({ ...origin, lock, fence, waitedMs } satisfies GrantMessage);
        message.result = fence;
        settled(message);
        return this.#hold(held, fence, span, attributes);
      },
      failed: (error) => {
        if (!waits) return;
        waits = false;
        this.#waiting -= 1;
        this.#record('wait', attributes, began, error);
        end(span, error, null);
        message.error = error;
        settled(message);
      },
    };
  }

  #hold(held: Held, fence: Fence, acquired: Span | null, attributes: Attributes): Held {
    const { origin, clock } = this.#setting;
    const { lock } = held;
    const span = this.#span('baton.hold', lock, acquired);
    const began = clock.now();
    this.#held += 1;
    return new Traced(held, span, (reason) => {
      this.#held -= 1;
      const heldMs = this.#record('hold', attributes, began, reason);
      end(span, reason, fence);
      if (reason === null && channels.release.hasSubscribers)
        channels.release.publish({ ...origin, lock, fence, heldMs } satisfies ReleaseMessage);
    });
  }

  #span(name: string, lock: string, after: Span | null = null): Span | null {
    if (!this.#tracer) return null;
    const links = after === null ? [] : [{ context: after.spanContext() }];
    return this.#tracer.startSpan(name, { attributes: { ...this.#site, 'baton.lock.name': lock }, links });
  }

  #attributes(lock: string): Attributes {
    const names = this.#lockNames;
    if (names === undefined) return this.#site;
    return { ...this.#site, 'baton.lock.name': names === true ? lock : names(lock) };
  }

  #record(what: 'wait' | 'hold', attributes: Attributes, began: number, error: unknown): number {
    const ms = this.#setting.clock.now() - began;
    const all = error === null ? attributes : { ...attributes, 'error.type': errorType(error) };
    this.#instruments?.[what].record(ms / 1_000, all);
    return ms;
  }
}

/** Few and known: a code of ours, `aborted` by the caller's signal, or anything else. */
function errorType(error: unknown): string {
  if (error instanceof OperatingError || error instanceof InvariantError) return error.code;
  return error instanceof Error && error.name !== 'AbortError' && error.name !== 'TimeoutError'
    ? '_OTHER'
    : 'aborted';
}

function end(span: Span | null, error: unknown, fence: Fence | null): void {
  if (span === null) return;
  if (fence !== null) {
    const { generation, epoch, k } = fence;
    span.setAttributes({
      'baton.fence.generation': generation,
      'baton.fence.epoch': epoch,
      'baton.fence.k': k,
    });
  }
  if (error !== null) {
    const message = reasonOf(error);
    span.setAttribute('error.type', errorType(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message });
  }
  span.end();
}
