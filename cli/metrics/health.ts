import type { Cluster, Notice } from '../../runtime/index.ts';
import type { Answer } from './server.ts';

/** The answer of `/health`. */
export interface Health {
  /**
   * `no majority`: nothing is granted. `stopped`: a broken invariant, or the site leaves. `frozen`: some lock stands still
   * until an election is over, which is no failure of this site.
   */
  readonly status: 'ok' | 'frozen' | 'no majority' | 'stopped';
  readonly version: string;
  readonly cluster: string;
  readonly site: string;
  readonly majority: boolean;
  /** The peers by id; `unknown` until a peer was met, or if it did not answer in time. */
  readonly peers: Readonly<Record<string, { readonly connected: boolean; readonly state: string }>>;
  readonly locks: { readonly known: number; readonly frozen: number };
  /** Number of epochs adopted by this site, and the highest one of all locks. */
  readonly epochs: { readonly adopted: number; readonly highest: number };
}

/** Follows a site's notices and reports its health, in bounded memory. */
export class HealthCheck {
  readonly #cluster: Cluster;
  readonly #version: string;
  readonly #states: Map<string, string>;
  #adopted = 0;
  #highest = 0;
  #stopped = false;

  constructor(cluster: Cluster, peers: readonly string[], version: string) {
    this.#cluster = cluster;
    this.#version = version;
    this.#states = new Map(peers.map((peer) => [peer, 'unknown']));
    cluster.on('notice', (notice) => this.#follow(notice));
  }

  /** Makes `/ready` answer 503. */
  stop(): void {
    this.#stopped = true;
  }

  /** Returns 200, or 503 if no lock can be granted. */
  health(): Answer {
    const health = this.#health();
    return json(health.status === 'ok' || health.status === 'frozen' ? 200 : 503, health);
  }

  /** Answers Kubernetes' readiness probe: 503 without a majority, or while leaving. */
  ready(): Answer {
    const { status } = this.#health();
    return json(status === 'ok' || status === 'frozen' ? 200 : 503, { status });
  }

  /** Answers Kubernetes' liveness probe: 503 if only a restart can help. */
  live(): Answer {
    return json(200, { status: 'live' });
  }

  #health(): Health {
    const { name: cluster, site } = this.#cluster;
    const { majority, connected, locks: known, frozen } = this.#cluster.status();
    const peers = [...this.#states].map(([id, state]) => [id, { connected: connected.includes(id), state }]);
    const running = majority ? (frozen > 0 ? 'frozen' : 'ok') : 'no majority';
    return {
      status: this.#stopped ? 'stopped' : running,
      version: this.#version,
      cluster,
      site,
      majority,
      peers: Object.fromEntries(peers),
      locks: { known, frozen },
      epochs: { adopted: this.#adopted, highest: this.#highest },
    };
  }

  #follow(notice: Notice): void {
    switch (notice.type) {
      case 'up':
      case 'restarted':
        this.#states.set(notice.peer, 'up');
        break;
      case 'down':
        this.#states.set(notice.peer, `down: ${notice.why}`);
        break;
      case 'adopted':
        this.#adopted += 1;
        this.#highest = Math.max(this.#highest, notice.epoch);
        break;
      case 'crash':
        this.#stopped = true;
    }
  }
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}
