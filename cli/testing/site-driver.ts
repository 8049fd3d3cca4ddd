import { createInterface } from 'node:readline';
import type { SiteId } from '../../machines/actor.ts';
import type { ClientEvent } from '../../machines/naimi-trehel/messages.ts';

import { type Address, naimiTrehel, systemChance, systemClock } from '../../runtime/index.ts';
import { TcpMailbox } from '../../runtime/mailbox/tcp/mailbox.ts';
import { HandledHost } from '../../runtime/testing/handled-host.ts';
import { deaf } from '../../runtime/testing/handlers.ts';
import { mailboxOptions } from './peer-mailbox.ts';

/**
 * A process with one site in it at a time: the actor and the mailbox are the real ones, the client is
 * whoever writes commands to standard input, one a line. Prints what the actor did as a record.
 */
export type DriverCommand =
  | {
      readonly open: {
        readonly self: SiteId;
        readonly root: SiteId;
        readonly peers: Readonly<Record<SiteId, Address>>;
      };
    }
  | { readonly tell: ClientEvent }
  | { readonly close: true };

type Opening = Extract<DriverCommand, { open: unknown }>['open'];

async function open({ self, root, peers }: Opening) {
  const mailbox = new TcpMailbox({
    ...mailboxOptions(self, peers),
    incarnation: systemChance.incarnation(),
    chance: systemChance,
    clock: systemClock,
  });
  const others = Object.keys(peers);
  const host = new HandledHost({
    site: self,
    peers: others,
    lock: 'main',
    protocol: naimiTrehel,
    input: naimiTrehel.input({ site: self, root, peers: others, voters: [], disk: 'none', strict: false }),
    recorder: {
      active: true,
      record: (line) => void process.stdout.write(`${JSON.stringify(line)}\n`),
      flush: () => undefined,
      close: () => undefined,
    },
    post: (envelope) => mailbox.post(envelope),
    refused: end,
    crashed: end,
  });
  await mailbox.open({ ...deaf, receive: (envelope) => host.deliver(envelope) });
  return { mailbox, host };
}

function end(error: { readonly code: string; readonly message: string }): void {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

let site: Awaited<ReturnType<typeof open>> | null = null;
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as DriverCommand;
  if ('open' in command) site = await open(command.open);
  else if ('tell' in command) site!.host.tell(command.tell);
  else {
    await site!.mailbox.close('closed');
    process.stdout.write('closed\n');
  }
}
