import { createInterface } from 'node:readline';
import type { Effect, NamedAction, SiteId } from '../../machines/actor.ts';
import type { ClientEvent, SiteMessage } from '../../machines/naimi-trehel/messages.ts';
import { type SiteEvent, siteMachine } from '../../machines/naimi-trehel/site.ts';
import type { RecordLine } from '../../machines/record.ts';
import type { StampedEnvelope } from '../../runtime/api/peer.ts';
import { Driver, type DriverOwner } from '../../runtime/driver/driver.ts';
import { type Address, InvariantError, systemClock, systemRandom } from '../../runtime/index.ts';
import { TcpMailbox } from '../../runtime/mailbox/tcp/mailbox.ts';
import { LockRecord } from '../../runtime/observe/lock-record.ts';
import { deaf } from '../../runtime/testing/handlers.ts';
import { mailboxOptions } from './peer-mailbox.ts';

/**
 * A process with one site in it at a time: the actor and the mailbox are the real ones, the client writes commands to
 * standard input, one a line. Prints the effects of the actor as a record.
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
    incarnation: systemRandom.incarnation(),
    random: systemRandom,
    clock: systemClock,
  });
  const site = new RecordedSite(self, root, mailbox, Object.keys(peers));
  await mailbox.open({ ...deaf, receive: (envelope) => site.receive(envelope) });
  return { mailbox, site };
}

const effectTypes = ['send', 'broadcast', 'grant', 'left', 'unexpected'] as const;

/** The statechart of one site and its effects, with a record of each step. */
class RecordedSite implements DriverOwner<SiteEvent, Effect<SiteMessage>, StampedEnvelope> {
  readonly #self: SiteId;
  readonly #mailbox: TcpMailbox;
  readonly #driver: Driver<SiteEvent, Effect<SiteMessage>, StampedEnvelope>;
  readonly #record: LockRecord;
  /** The peers that take part. */
  readonly #peers: Set<SiteId>;

  constructor(self: SiteId, root: SiteId, mailbox: TcpMailbox, peers: readonly SiteId[]) {
    this.#self = self;
    this.#mailbox = mailbox;
    this.#peers = new Set(peers);
    const recorder = {
      active: true,
      record: (line: RecordLine) => void process.stdout.write(`${JSON.stringify(line)}\n`),
      flush: () => undefined,
      close: () => undefined,
    };
    const input = { self, root, peers: peers.length };
    this.#record = new LockRecord({ site: self, life: 0, machine: 'naimi-trehel', recorder }, 'main');
    this.#driver = new Driver(siteMachine, effectTypes, { id: self, input }, this);
    this.#record.start(input, peers, this);
  }

  get snapshot() {
    return this.#driver.snapshot;
  }

  tell(event: ClientEvent): void {
    this.#driver.take(event);
  }

  receive(envelope: StampedEnvelope): void {
    this.#driver.take(envelope.message as SiteMessage, envelope);
  }

  due(): readonly SiteEvent[] {
    return [];
  }

  judge(): 'take' {
    return 'take';
  }

  refuses(_: SiteEvent, __: StampedEnvelope, effects: readonly Effect<SiteMessage>[]): boolean {
    if (!effects.some(({ type }) => type === 'unexpected')) return false;
    process.stderr.write('PROTOCOL_BREACH: no transition takes it\n');
    process.exit(1);
  }

  took(event: SiteEvent, envelope: StampedEnvelope | null, effects: readonly Effect<SiteMessage>[]): void {
    this.#record.event(event, envelope, effects as readonly NamedAction[], this);
    if (event.type === 'LEAVE') this.#peers.delete(event.leaver);
  }

  execute(effect: Effect<SiteMessage>): void {
    if (effect.type === 'send') this.#send(effect.target, effect.message);
    else if (effect.type === 'broadcast') for (const peer of this.#peers) this.#send(peer, effect.message);
    else if (effect.type === 'unexpected') throw new InvariantError('UNEXPECTED_EVENT', effect.event.type);
  }

  crashed(error: InvariantError): void {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }

  #send(target: SiteId, message: SiteMessage): void {
    this.#mailbox.post({ source: this.#self, target, lock: 'main', message, stamp: this.#record.stamp });
  }
}

let site: Awaited<ReturnType<typeof open>> | null = null;
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as DriverCommand;
  if ('open' in command) site = await open(command.open);
  else if ('tell' in command) site!.site.tell(command.tell);
  else {
    await site!.mailbox.close('closed');
    process.stdout.write('closed\n');
  }
}
