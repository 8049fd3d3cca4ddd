import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import { ownClock, systemRandom } from '../../runtime/api/clock.ts';
import type { InvariantError } from '../../runtime/api/errors.ts';
import { TcpMailbox } from '../../runtime/mailbox/tcp/mailbox.ts';
import { transportOf } from '../../runtime/mailbox/tcp/transport.ts';
import { noRecorder } from '../../runtime/observe/recorder.ts';
import { parseOptions } from '../../runtime/options/parse.ts';
import { configurationOf } from '../../runtime/site/configuration.ts';
import { siteCodec, urgentMessage } from '../../runtime/site/protocol.ts';
import { Site } from '../../runtime/site/site.ts';
import { memoryStore } from '../../runtime/store/store.ts';
import { freePorts } from '../../runtime/testing/free-ports.ts';
import { HeldMailbox } from './held-mailbox.ts';

/** A running site whose messages are held back. */
export interface RealSite {
  readonly id: SiteId;
  readonly site: Site;
  readonly mailbox: HeldMailbox;
}

/**
 * Sites in this process that speak to each other over TCP on the loopback interface, a founded cluster. No timer of a lock ever
 * fires: what happens to a lock is the caller's doing alone. `crashed` is told of a site that ends by an error.
 */
export async function openSites(
  ids: readonly SiteId[],
  crashed: (error: InvariantError) => void,
  statechart: AnyStateMachine = siteMachine,
): Promise<readonly RealSite[]> {
  const ports = await freePorts(ids.length);
  const addressOf = (id: SiteId) => ({ host: '127.0.0.1', port: ports[ids.indexOf(id)]! });
  const sites = ids.map((self): RealSite => {
    const peers = ids.filter((id) => id !== self);
    const options = parseOptions({
      site: self,
      cluster: 'conform',
      listen: addressOf(self),
      peers: Object.fromEntries(peers.map((id) => [id, addressOf(id)])),
      // A busy machine must not seem a dead peer.
      timing: { failureTimeoutMs: 600_000 },
    });
    const { timing, limits } = options;
    const store = memoryStore(systemRandom.incarnation());
    const common = { self, timing, limits, random: systemRandom, notice: () => undefined };
    const mailbox = new HeldMailbox(
      new TcpMailbox({
        ...common,
        clock: ownClock(),
        cluster: options.cluster,
        configuration: configurationOf({ strict: null }),
        incarnation: systemRandom.incarnation(),
        dataId: store.id,
        run: store.life,
        transport: transportOf(options),
        listen: options.listen,
        peers: options.peers,
        codec: siteCodec(),
        urgent: urgentMessage,
      }),
    );
    const site = new Site({
      ...{ ...common, peers, voters: ids, statechart, mailbox, store, recorder: noRecorder, crashed },
      strict: null,
      root: ids[0]!,
      clock: { ...ownClock(), after: () => () => undefined },
    });
    return { id: self, site, mailbox };
  });
  await Promise.all(sites.map(({ site }) => site.open()));
  await Promise.all(sites.map(({ site }) => site.ready));
  return sites;
}

/** Ends all sites abruptly, like a crash. */
export function closeSites(sites: readonly RealSite[]): void {
  for (const { site, mailbox } of sites) {
    site.end(new Error('all was driven'));
    mailbox.abort();
  }
}
