import { reasonOf } from '../../machines/errors.ts';
import type { Clock } from '../api/clock.ts';
import { OperatingError } from '../api/errors.ts';
import type { Address } from '../api/peer.ts';

/** Receives the addresses that a source finds. */
export interface DiscoveryListener {
  /** All addresses, at first and whenever they change. */
  readonly found: (addresses: readonly Address[]) => void;
  /** `DISCOVERY_FAILED`: they cannot be read now. The addresses that were found last stay. */
  readonly failed: (error: OperatingError) => void;
  /** The source of time. */
  readonly clock: Clock;
}

/** Finds the processes of a cluster: one interface for addresses that are known, DNS, a file, and a function of yours. */
export interface DiscoverySource {
  /** Tells the listener, until the returned function is called. */
  watch(listener: DiscoveryListener): () => void;
}

/** Addresses, each `host:port` or an object, or a source that finds them. */
export type Discovery = DiscoverySource | readonly (string | Address)[];

/** How a source looks again. */
export interface PollOptions {
  /** Time in ms between two looks. */
  readonly everyMs?: number;
}

/** `[::1]:7000` has an IPv6 address as its host. */
const hostAndPort = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/;

/** The address that `text` names; `null`: it names none. */
export function parseAddress(text: string): Address | null {
  const [, six, plain, port] = hostAndPort.exec(text) ?? [];
  const host = six ?? plain;
  return host !== undefined && isPort(Number(port)) ? { host, port: Number(port) } : null;
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535;
}

function addressOf(value: unknown): Address | null {
  if (typeof value === 'string') return parseAddress(value);
  const { host, port } = (value ?? {}) as Partial<Address>;
  return typeof host === 'string' && host !== '' && isPort(port) ? { host, port: port! } : null;
}

/** Whether a value can be the option `discovery`. */
export function isDiscovery(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((one) => addressOf(one) !== null);
  return typeof (value as Partial<DiscoverySource> | null)?.watch === 'function';
}

/** `discovery`, as a source. */
export function sourceOf(discovery: Discovery): DiscoverySource {
  if ('watch' in discovery) return discovery;
  const addresses = discovery.map((one) => addressOf(one)!);
  return {
    watch: ({ found }) => {
      found(addresses);
      return () => {};
    },
  };
}

/**
 * A source that asks `find` again and again: a registry, a list of machines of a cloud. Each address is `host:port` or an object.
 *
 * `everyMs`: default 5,000.
 */
export function fromFunction(
  find: () => readonly (string | Address)[] | Promise<readonly (string | Address)[]>,
  { everyMs = 5_000 }: PollOptions = {},
): DiscoverySource {
  return {
    watch: ({ found, failed, clock }) => {
      let last: string | null = null;
      let stopTimer = () => {};
      let stopped = false;
      const look = async () => {
        try {
          const addresses = (await find()).map((one) => {
            const address = addressOf(one);
            if (address === null)
              throw new TypeError(`expected "host:port" or { host, port }, not ${JSON.stringify(one)}`);
            return address;
          });
          // The order says nothing.
          const all = [...new Map(addresses.map((at) => [`${at.host} ${at.port}`, at])).entries()].sort();
          const text = JSON.stringify(all);
          if (!stopped && text !== last) found(all.map(([, address]) => address));
          last = text;
        } catch (cause) {
          if (!stopped) failed(discoveryFailed(cause));
        }
        if (!stopped) stopTimer = clock.after(everyMs, () => void look());
      };
      void look();
      return () => {
        stopped = true;
        stopTimer();
      };
    },
  };
}

function discoveryFailed(cause: unknown): OperatingError {
  const what = `the addresses of the others cannot be found now: ${reasonOf(cause)}`;
  return new OperatingError('DISCOVERY_FAILED', `${what}; the last known addresses are kept`, { cause });
}
