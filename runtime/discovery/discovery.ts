import type { OperatingError } from '../api/errors.ts';
import type { Address } from '../api/peer.ts';

/** Finds the processes of a cluster: one interface for addresses that are known, DNS, a file, and a function of yours. */
export interface DiscoverySource {
  /**
   * Tells `found` of all addresses, now and whenever they change, until the returned function is called. What cannot be read is told to
   * `failed`; the addresses that were found last stay.
   */
  watch(found: (addresses: readonly Address[]) => void, failed: (error: OperatingError) => void): () => void;
}

/** Addresses, each `host:port` or an object, or a source that finds them. */
export type Discovery = DiscoverySource | readonly (string | Address)[];

/** `[::1]:7000` has an IPv6 address as its host. */
const hostAndPort = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;

/** The address that `text` names; `null`: it names none. */
export function parseAddress(text: string): Address | null {
  const [, six, plain, port] = hostAndPort.exec(text) ?? [];
  const host = six ?? plain;
  return host !== undefined && isPort(Number(port)) ? { host, port: Number(port) } : null;
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535;
}

function isAddress(value: unknown): boolean {
  if (typeof value === 'string') return parseAddress(value) !== null;
  const { host, port } = (value ?? {}) as Partial<Address>;
  return typeof host === 'string' && host !== '' && isPort(port);
}

/** For the options. */
export function isDiscovery(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isAddress);
  return typeof (value as Partial<DiscoverySource> | null)?.watch === 'function';
}

/** `discovery`, as a source. */
export function sourceOf(discovery: Discovery): DiscoverySource {
  if ('watch' in discovery) return discovery;
  const addresses = discovery.map((one) => (typeof one === 'string' ? parseAddress(one)! : one));
  return {
    watch: (found) => {
      found(addresses);
      return () => {};
    },
  };
}
