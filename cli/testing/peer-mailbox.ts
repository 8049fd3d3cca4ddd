import type { SiteId } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/naimi-trehel/messages.ts';
import type { Address } from '../../runtime/index.ts';
import type { TcpMailboxOptions } from '../../runtime/mailbox/tcp/mailbox.ts';
import { plain } from '../../runtime/mailbox/tcp/transport.ts';
import { defaultLimits, defaultTiming } from '../../runtime/options/schema.ts';
import { Codec } from '../../runtime/wire/codec.ts';
import type { LayoutOf } from '../../runtime/wire/layout.ts';

/** The messages of Naimi–Trehel, as they are written. */
const layout = {
  REQUEST: { origin: 'site' },
  TOKEN: {},
  LEAVE: { leaver: 'site' },
  GOODBYE: {},
} as const satisfies LayoutOf<SiteMessage>;

/** The options that the mailboxes of one small cluster on loopback share. */
export function mailboxOptions(
  self: SiteId,
  peers: Readonly<Record<SiteId, Address>>,
): Omit<TcpMailboxOptions, 'clock' | 'random' | 'incarnation'> {
  return {
    self,
    cluster: 'paths',
    configuration: 'paths',
    transport: plain,
    listen: { host: '127.0.0.1', port: 0 },
    peers,
    codec: new Codec(layout),
    limits: defaultLimits,
    timing: defaultTiming,
    dataId: 'data',
    run: 0,
    notice: () => undefined,
  };
}
