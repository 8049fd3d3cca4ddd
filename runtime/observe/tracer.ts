import { ProxyTracerProvider, type Tracer, trace } from '@opentelemetry/api';
import type { TelemetryOptions } from '../options/schema.ts';

/** The tracer; `null` where nobody would ever see a span. */
export function tracerOf({ tracerProvider = trace.getTracerProvider() }: TelemetryOptions): Tracer | null {
  // The API's own provider stands in for one that may still come; what it gives until then records nothing.
  if (tracerProvider instanceof ProxyTracerProvider) return tracerProvider.getDelegateTracer('baton') ?? null;
  return tracerProvider.getTracer('baton');
}
