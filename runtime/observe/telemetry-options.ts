import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

/** Where metrics and spans go. */
export interface TelemetryOptions {
  /**
   * Puts a lock's name on waiting and holding times: itself, or what the function makes of it. Every different name is a
   * time series of its own that is kept for ever, so there must be few. Default: no name. Spans always have it.
   */
  readonly lockNames?: true | ((lock: string) => string);
  /** Default: the global one, if it is registered before `joinCluster` is called. */
  readonly meterProvider?: MeterProvider;
  /** Default: the global one, if it is registered before `joinCluster` is called. */
  readonly tracerProvider?: TracerProvider;
}
