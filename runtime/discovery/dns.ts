import { Resolver } from 'node:dns/promises';
import type { Address } from '../api/peer.ts';
import { type DiscoverySource, fromFunction, type PollOptions } from './discovery.ts';

/** The record of DNS that names the processes. */
export interface DnsOptions extends PollOptions {
  /** The full name, as `baton.default.svc.cluster.local`: the search list of the machine is not used. */
  readonly name: string;
  /** Port of all of them, by the A and AAAA records of `name`. Default: SRV records of `name` give host and port. */
  readonly port?: number;
  /** The servers of DNS, each `host` or `host:port`. Default: those of the machine. */
  readonly servers?: readonly string[];
}

/** A name that has no record of this kind. */
const none: readonly string[] = ['ENODATA', 'ENOTFOUND'];

/**
 * Finds processes by DNS, A and AAAA records or SRV records (RFC 2782): a headless service of Kubernetes, Consul, a zone file. Looks
 * again every `everyMs` (default: 5,000), so addresses that change are followed.
 */
export function fromDns({ name, port, servers, everyMs = 5_000 }: DnsOptions): DiscoverySource {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers) resolver.setServers([...servers]);
  const hosts = (of: string) => hostsOf(resolver, of);
  return fromFunction(
    async () => {
      if (port !== undefined) return (await hosts(name)).map((host) => ({ host, port }));
      const records = await resolver.resolveSrv(name);
      const found = records.map(async (record): Promise<readonly Address[]> => {
        return (await hosts(record.name)).map((host) => ({ host, port: record.port }));
      });
      return (await Promise.all(found)).flat();
    },
    { everyMs },
  );
}

/** Both kinds of addresses. Throws where the name has neither, and where a server does not answer. */
async function hostsOf(resolver: Resolver, name: string): Promise<readonly string[]> {
  const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = [four, six].flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  for (const one of [four, six]) {
    if (one.status !== 'rejected') continue;
    const isMissing = none.includes((one.reason as NodeJS.ErrnoException).code ?? '');
    if (!isMissing || found.length === 0) throw one.reason;
  }
  return found;
}
