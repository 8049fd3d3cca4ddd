import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Answer } from './server.ts';

/** The runtime's own metrics, as Prometheus reads them. */
export class Prometheus {
  readonly #reader = new PrometheusExporter({ preventServerStart: true });
  readonly #serializer = new PrometheusSerializer();
  readonly meterProvider = new MeterProvider({ readers: [this.#reader] });
  #collecting: Promise<Answer> | null = null;

  /** Requests that arrive during a collection get its result. */
  scrape(): Promise<Answer> {
    this.#collecting ??= this.#collect().finally(() => {
      this.#collecting = null;
    });
    return this.#collecting;
  }

  async #collect(): Promise<Answer> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors, 'the metrics cannot be collected');
    const body = this.#serializer.serialize(resourceMetrics);
    return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body };
  }
}
