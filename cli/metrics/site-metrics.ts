import type { Address } from '../../runtime/api/peer.ts';
import type { Cluster, TelemetryOptions } from '../../runtime/index.ts';
import { version } from '../version.ts';
import { HealthCheck } from './health.ts';
import { Prometheus } from './prometheus.ts';
import { type MetricsServer, serveMetrics } from './server.ts';

/** Adds `--metrics` to a site: first the options for `joinCluster`, then the server. */
export class SiteMetrics {
  readonly #prometheus = new Prometheus();
  #health: HealthCheck | null = null;
  #server: MetricsServer | null = null;

  get telemetry(): TelemetryOptions {
    return { meterProvider: this.#prometheus.meterProvider };
  }

  /** Resolves with where it is served. @throws `UsageError` when it cannot listen there. */
  async serve(cluster: Cluster, peers: readonly string[], at: Address): Promise<string> {
    const health = new HealthCheck(cluster, peers, version);
    this.#health = health;
    this.#server = await serveMetrics(at, {
      '/metrics': () => this.#prometheus.scrape(),
      '/health': () => health.health(),
      '/ready': () => health.ready(),
      '/live': () => health.live(),
    });
    return this.#server.url;
  }

  /** Makes the site answer as no longer ready. */
  leaving(): void {
    this.#health?.stop();
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}
