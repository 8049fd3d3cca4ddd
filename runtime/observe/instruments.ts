import {
  type Attributes,
  type BatchObservableCallback,
  createNoopMeter,
  type Histogram,
  type Meter,
  type Observable,
  metrics as otel,
} from '@opentelemetry/api';
import type { ClusterStatus, Counters } from '../api/status.ts';
import type { TelemetryOptions } from '../options/schema.ts';
import { type Metric, type MetricKey, metrics } from './metrics.ts';

/** The values that are read when metrics are collected. */
export interface Reading {
  readonly status: ClusterStatus;
  readonly counters: Counters;
  readonly waiting: number;
  readonly held: number;
  readonly adopted: number;
}

type Observed = Exclude<MetricKey, 'waitDuration' | 'holdDuration'>;
type Point = readonly [value: number, attributes?: Attributes];

/** Boundaries from a grant at once, in microseconds, to a wait of minutes. */
const secondsBoundaries = [
  0.00001, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  300,
];

/** The meter; `null` where nobody would ever read it. */
export function meterOf({ meterProvider = otel.getMeterProvider() }: TelemetryOptions): Meter | null {
  const meter = meterProvider.getMeter('baton');
  return meter === createNoopMeter() ? null : meter;
}

/** The metrics of one site. Values that the site counts anyway are read at a collection, and cost nothing before it. */
export class Instruments {
  readonly wait: Histogram;
  readonly hold: Histogram;
  readonly #meter: Meter;
  readonly #observables: ReadonlyMap<Observed, Observable>;
  readonly #collect: BatchObservableCallback;

  /** `site`: on every point. */
  constructor(meter: Meter, site: Attributes, read: () => Reading) {
    this.#meter = meter;
    this.wait = histogram(meter, metrics.waitDuration);
    this.hold = histogram(meter, metrics.holdDuration);
    const observables = new Map<Observed, Observable>();
    this.#observables = observables;
    for (const [key, metric] of Object.entries(metrics) as [MetricKey, Metric][])
      if (key !== 'waitDuration' && key !== 'holdDuration') observables.set(key, observable(meter, metric));
    this.#collect = (result) => {
      const points = pointsOf(read());
      for (const [key, instrument] of observables)
        for (const [value, attributes] of points[key])
          result.observe(instrument, value, { ...site, ...attributes });
    };
    meter.addBatchObservableCallback(this.#collect, [...observables.values()]);
  }

  /** From now on the site is read no more. */
  close(): void {
    this.#meter.removeBatchObservableCallback(this.#collect, [...this.#observables.values()]);
  }
}

function pointsOf(reading: Reading): Readonly<Record<Observed, readonly Point[]>> {
  const { status, counters, waiting, held, adopted } = reading;
  return {
    grants: [[counters.entered]],
    lost: [[counters.lost]],
    handoffs: [[counters.received['TOKEN'] ?? 0]],
    waiting: [[waiting]],
    held: [[held]],
    known: [[status.locks]],
    frozen: [[status.frozen]],
    sent: byKey(counters.sent, 'baton.message.type'),
    received: byKey(counters.received, 'baton.message.type'),
    traffic: byKey({ transmit: counters.bytesSent, receive: counters.bytesReceived }, 'network.io.direction'),
    adopted: [[adopted]],
    elections: [[counters.elections]],
    suspicions: [[counters.suspicions]],
    links: [[status.connected.length]],
    majority: [[status.majority ? 1 : 0]],
    untaken: [[counters.untaken]],
    refused: byKey(counters.refused, 'error.type'),
  };
}

function byKey(counts: Readonly<Record<string, number>>, attribute: string): Point[] {
  return Object.entries(counts).map(([key, count]) => [count, { [attribute]: key }]);
}

function histogram(meter: Meter, { name, unit, description }: Metric): Histogram {
  const advice = { explicitBucketBoundaries: secondsBoundaries };
  return meter.createHistogram(name, { unit, description, advice });
}

function observable(meter: Meter, { name, kind, unit, description }: Metric): Observable {
  switch (kind) {
    case 'counter':
      return meter.createObservableCounter(name, { unit, description });
    case 'up-down counter':
      return meter.createObservableUpDownCounter(name, { unit, description });
    default:
      return meter.createObservableGauge(name, { unit, description });
  }
}
