import { type Attributes, type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { Clock } from '../doors.ts';
import { InvariantError, OperatingError } from '../errors.ts';
import type { Cluster, Held, Notice } from '../options.ts';
import {
  type AcquireMessage,
  acquireTraced,
  callersWatched,
  channels,
  type GrantMessage,
  type Origin,
  publishNotice,
  type ReleaseMessage,
} from './channels.ts';
import { Instruments, meterOf } from './instruments.ts';
import type { TelemetryOptions } from './options.ts';
import { tracerOf } from './tracer.ts';
import { WatchedHeld } from './watched-held.ts';

export interface TelemetrySetting {
  readonly origin: Origin;
  /** Has a grant a fence? */
  readonly fenced: boolean;
  readonly clock: Clock;
}

/**
 * What one site tells whoever observes it: OpenTelemetry, and the channels of `node:diagnostics_channel`. It only looks
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

  /** From now on there are metrics and spans, if there is anybody to take them. `site` is read when metrics are collected. */
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

  /** Does it have to be told what callers do? */
  get watching(): boolean {
    return this.#recording || callersWatched();
  }

  /** What `ask` gives, watched from now on. */
  async acquire(lock: string, ask: () => Promise<Held>): Promise<Held> {
    const began = this.#setting.clock.now();
    const span = this.#span('baton.acquire', lock);
    this.#waiting += 1;
    try {
      const message: AcquireMessage = { ...this.#setting.origin, lock };
      const held = await (acquireTraced() ? channels.acquire.tracePromise(ask, message) : ask());
      return this.#granted(held, began, span);
    } catch (error) {
      this.#record('wait', lock, began, errorType(error));
      end(span, error);
      throw error;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** What was had without waiting, watched from now on. */
  entered(held: Held): Held {
    return this.#granted(held, this.#setting.clock.now(), this.#span('baton.acquire', held.lock));
  }

  notice(notice: Notice): void {
    if (notice.type === 'adopted') this.#adopted += 1;
    publishNotice(this.#setting.origin, notice);
  }

  /** The site is closed, and read no more. */
  close(): void {
    this.#instruments?.close();
  }

  #granted(held: Held, began: number, acquiring: Span | null): Held {
    const { origin, fenced, clock } = this.#setting;
    const { lock } = held;
    const fence = fenced ? held.fence : null;
    const waitedMs = this.#record('wait', lock, began, null);
    const fenceAttributes = fence && { 'baton.fence.epoch': fence.epoch, 'baton.fence.k': fence.k };
    if (fenceAttributes) acquiring?.setAttributes(fenceAttributes);
    end(acquiring, null);
    const span = this.#span('baton.hold', lock, acquiring);
    if (fenceAttributes) span?.setAttributes(fenceAttributes);
    if (channels.grant.hasSubscribers)
      channels.grant.publish({ ...origin, lock, fence, waitedMs } satisfies GrantMessage);
    this.#held += 1;
    const granted = clock.now();
    return new WatchedHeld(held, span, (reason) => {
      this.#held -= 1;
      const heldMs = this.#record('hold', lock, granted, reason === null ? null : errorType(reason));
      end(span, reason);
      if (reason === null && channels.release.hasSubscribers)
        channels.release.publish({ ...origin, lock, fence, heldMs } satisfies ReleaseMessage);
    });
  }

  #span(name: string, lock: string, after: Span | null = null): Span | null {
    if (!this.#tracer) return null;
    const links = after === null ? [] : [{ context: after.spanContext() }];
    return this.#tracer.startSpan(name, { attributes: { ...this.#site, 'baton.lock.name': lock }, links });
  }

  #record(what: 'wait' | 'hold', lock: string, began: number, error: string | null): number {
    const { clock } = this.#setting;
    const ms = clock.now() - began;
    const names = this.#lockNames;
    this.#instruments?.[what].record(ms / 1_000, {
      ...this.#site,
      ...(error !== null && { 'error.type': error }),
      ...(names !== undefined && { 'baton.lock.name': names === true ? lock : names(lock) }),
    });
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

function end(span: Span | null, error: unknown): void {
  if (span === null) return;
  if (error !== null) {
    const message = error instanceof Error ? error.message : String(error);
    span.setAttribute('error.type', errorType(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message });
  }
  span.end();
}
