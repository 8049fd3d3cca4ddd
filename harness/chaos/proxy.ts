import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Address } from '../../runtime/api/peer.ts';
import { ProxiedConnection } from './connection.ts';
import { loopbackOfItsOwn } from './loopback.ts';
import { reset } from './reset.ts';
import { Way } from './way.ts';

/** Maximum number of connections between two sites. More means that a site dials without end. */
const maxConnectionsOfAPair = 64;

/** The dialing site and the site that it dials. */
interface Route {
  readonly from: string;
  readonly to: string;
  readonly connections: Set<ProxiedConnection>;
  server: Server | null;
  /** The port, from the first listen on. */
  port: number;
  /** Number of faults that refuse this route. */
  refusals: number;
}

/**
 * Stands between all sites on loopback. Each site dials another at `address(from, to)`, a port of its own for
 * every ordered pair, and the faults that are on apply to the bytes. For a hold, a delay, a loss and a cut-after,
 * `from` and `to` are the direction of the bytes, whichever side dialed.
 */
export class FaultProxy {
  readonly #host = loopbackOfItsOwn();
  readonly #routes = new Map<string, Route>();
  readonly #ways = new Map<string, Way>();
  /** The present address of each site. The kernel refuses connections to a site that is down. */
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

  /** Returns the address at which `from` dials `to`. */
  address(from: string, to: string): Address {
    return { host: this.#host, port: this.#route(from, to).port };
  }

  /** Records that `site` listens at `address`. */
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

  /** Holds all bytes from `from` to `to` until `release`, as TCP would. No connection is answered. */
  hold(from: string, to: string): void {
    this.#way(from, to).hold();
  }

  release(from: string, to: string): void {
    this.#way(from, to).release();
  }

  delay(from: string, to: string, delayMs: number): void {
    this.#way(from, to).delayMs = delayMs;
  }

  /** From now on `percent` of the pieces from `from` to `to` are lost, and are sent again as by TCP. 0: none are. */
  lose(from: string, to: string, percent: number, seed: number): void {
    this.#way(from, to).lose(percent, seed);
  }

  /** Resets the connection after `bytes` more bytes from `from` to `to`. */
  cutAfter(from: string, to: string, bytes: number): void {
    this.#way(from, to).cutAfterBytes = bytes;
  }

  /** Breaks every connection of the two sites, and returns their number. */
  cut(one: string, other: string, how: 'RST' | 'FIN'): number {
    const connections = [...this.#route(one, other).connections, ...this.#route(other, one).connections];
    for (const connection of connections) {
      if (how === 'RST') connection.reset();
      else connection.finish();
    }
    return connections.length;
  }

  /** Closes every connection of the two sites at `gone`, without any sign to `stays`. */
  halfOpen(gone: string, stays: string): void {
    for (const connection of this.#route(stays, gone).connections) connection.orphan('near');
    for (const connection of this.#route(gone, stays).connections) connection.orphan('far');
  }

  /** Refuses new connections from `from` to `to` until `accept`. Open ones stay. */
  async refuse(from: string, to: string): Promise<void> {
    this.#route(from, to).refusals++;
    await this.#settle();
  }

  async accept(from: string, to: string): Promise<void> {
    const route = this.#route(from, to);
    route.refusals = Math.max(0, route.refusals - 1);
    await this.#settle();
  }

  /** Ends every fault. Held bytes pass now. */
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

  /** Listens exactly where a kernel would answer. Changes are made one after the other. */
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
