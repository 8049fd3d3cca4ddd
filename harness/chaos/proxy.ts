import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Address } from '../../runtime/api/peer.ts';
import { ProxiedConnection } from './connection.ts';
import { loopbackOfItsOwn } from './loopback.ts';
import { reset } from './reset.ts';
import { Way } from './way.ts';

/** More at once between two sites, and something dials without end. */
const maxConnectionsOfAPair = 64;

/** The dialing site and the site that it dials. */
interface Route {
  readonly from: string;
  readonly to: string;
  readonly connections: Set<ProxiedConnection>;
  server: Server | null;
  /** From the first listen on. */
  port: number;
  /** How many want it refused. */
  refusals: number;
}

/**
 * Stands between all sites on loopback. Each site dials another at `address(from, to)`, a port of its own for
 * every ordered pair, and the faults that are on apply to the bytes. For a hold, a delay and a cut-after,
 * `from` and `to` are the direction of the bytes, whichever side dialed.
 */
export class FaultProxy {
  readonly #host = loopbackOfItsOwn();
  readonly #routes = new Map<string, Route>();
  readonly #ways = new Map<string, Way>();
  /** Where each site listens; of one that is not up the kernel refuses. */
  readonly #sites = new Map<string, Address>();
  #settled: Promise<void> = Promise.resolve();

  constructor(sites: readonly string[]) {
    for (const from of sites) {
      for (const to of sites) {
        if (from === to) continue;
        this.#ways.set(`${from} ${to}`, new Way());
        const connections = new Set<ProxiedConnection>();
        this.#routes.set(`${from} ${to}`, { from, to, connections, server: null, port: 0, refusals: 0 });
      }
    }
  }

  async open(): Promise<void> {
    await Promise.all([...this.#routes.values()].map((route) => this.#listen(route)));
  }

  /** Where `from` dials `to`. */
  address(from: string, to: string): Address {
    return { host: this.#host, port: this.#route(from, to).port };
  }

  /** `site` listens there from now on. */
  async up(site: string, address: Address): Promise<void> {
    this.#sites.set(site, address);
    await this.#settle();
  }

  /**
   * The process of `site` is gone: connections to it are refused. Its open connections break by themselves.
   */
  async down(site: string): Promise<void> {
    this.#sites.delete(site);
    await this.#settle();
  }

  /** Nothing passes from `from` to `to`, until `release`; it is kept, as by TCP. No connection is answered. */
  hold(from: string, to: string): void {
    this.#way(from, to).hold();
  }

  release(from: string, to: string): void {
    this.#way(from, to).release();
  }

  delay(from: string, to: string, delayMs: number): void {
    this.#way(from, to).delayMs = delayMs;
  }

  /** After `bytes` more from `from` to `to` the connection that brought them is reset. */
  cutAfter(from: string, to: string, bytes: number): void {
    this.#way(from, to).cutAfterBytes = bytes;
  }

  /** Breaks every connection of the two. Says how many. */
  cut(one: string, other: string, how: 'RST' | 'FIN'): number {
    const connections = [...this.#route(one, other).connections, ...this.#route(other, one).connections];
    for (const connection of connections) {
      if (how === 'RST') connection.reset();
      else connection.finish();
    }
    return connections.length;
  }

  /** Every connection of the two is gone for `gone`, and `stays` hears nothing of that. */
  halfOpen(gone: string, stays: string): void {
    for (const connection of this.#route(stays, gone).connections) connection.orphan('near');
    for (const connection of this.#route(gone, stays).connections) connection.orphan('far');
  }

  /** Connections that `from` dials to `to` are refused, until `accept`. Those that are there stay. */
  async refuse(from: string, to: string): Promise<void> {
    this.#route(from, to).refusals++;
    await this.#settle();
  }

  async accept(from: string, to: string): Promise<void> {
    const route = this.#route(from, to);
    route.refusals = Math.max(0, route.refusals - 1);
    await this.#settle();
  }

  /** Ends every fault; bytes that were held pass now. */
  async heal(): Promise<void> {
    for (const way of this.#ways.values()) way.heal();
    for (const route of this.#routes.values()) route.refusals = 0;
    await this.#settle();
  }

  async close(): Promise<void> {
    this.#sites.clear();
    for (const { connections } of this.#routes.values()) {
      for (const connection of connections) connection.reset();
    }
    await this.#settle();
  }

  /** Listens where a kernel would answer, and nowhere else; one change after the other. */
  #settle(): Promise<void> {
    this.#settled = this.#settled.then(async () => {
      for (const route of this.#routes.values()) {
        if (this.#sites.has(route.to) && route.refusals === 0) await this.#listen(route);
        else this.#stopListening(route);
      }
    });
    return this.#settled;
  }

  async #listen(route: Route): Promise<void> {
    if (route.server !== null) return;
    const server = createServer({ allowHalfOpen: true }, (near) => {
      if (route.connections.size >= maxConnectionsOfAPair) {
        reset(near);
        return;
      }
      const connection: ProxiedConnection = new ProxiedConnection({
        near,
        address: () => this.#sites.get(route.to) ?? null,
        forward: this.#way(route.from, route.to),
        backward: this.#way(route.to, route.from),
        closed: () => route.connections.delete(connection),
      });
      route.connections.add(connection);
    });
    route.server = server;
    server.listen(route.port, this.#host);
    await once(server, 'listening');
    route.port = (server.address() as { port: number }).port;
  }

  #stopListening(route: Route): void {
    route.server?.close();
    route.server = null;
  }

  #way(from: string, to: string): Way {
    return found(this.#ways, from, to);
  }

  #route(from: string, to: string): Route {
    return found(this.#routes, from, to);
  }
}

function found<T>(all: ReadonlyMap<string, T>, from: string, to: string): T {
  const one = all.get(`${from} ${to}`);
  if (one === undefined) throw new RangeError(`the proxy knows no way from ${from} to ${to}`);
  return one;
}
