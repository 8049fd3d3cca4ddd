import { type Histogram, MeterProvider, type MetricData, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { TelemetryOptions } from '../../options/schema.ts';

class Reader extends MetricReader {
  protected async onShutdown(): Promise<void> {}
  protected async onForceFlush(): Promise<void> {}
}

/** OpenTelemetry's SDK, with exporters that keep all in memory. */
export class Collector {
  readonly #reader = new Reader();
  readonly #spans = new InMemorySpanExporter();
  readonly providers: TelemetryOptions = {
    meterProvider: new MeterProvider({ readers: [this.#reader] }),
    tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#spans)] }),
  };

  get spans(): ReadableSpan[] {
    return this.#spans.getFinishedSpans();
  }

  async metrics(): Promise<MetricData[]> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
  }

  /** The points of a site, each by its one attribute more, or by the empty text; of a histogram, their number. */
  async points(site: string): Promise<Record<string, Record<string, number>>> {
    const points: Record<string, Record<string, number>> = {};
    for (const { descriptor, dataPoints } of await this.metrics())
      for (const { attributes, value } of dataPoints) {
        const { 'baton.site.id': of, 'baton.cluster.name': _, ...more } = attributes;
        if (of !== site) continue;
        const count = typeof value === 'number' ? value : (value as Histogram).count;
        points[descriptor.name] = { ...points[descriptor.name], [Object.values(more).join()]: count };
      }
    return points;
  }
}
