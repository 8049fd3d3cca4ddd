import { ProxyTracerProvider, type Tracer, trace } from '@opentelemetry/api';
import type { TelemetryOptions } from '../options/schema.ts';

/** The tracer; `null` where nobody would ever see a span. */
export function tracerOf({ tracerProvider = trace.getTracerProvider() }: TelemetryOptions): Tracer | null {
  // The API's own provider stands in until another is registered; until then its spans record nothing.
  if (tracerProvider instanceof ProxyTracerProvider) return tracerProvider.getDelegateTracer('baton') ?? null;
  return tracerProvider.getTracer('baton');
}
