import type { SiteId } from '../../machines/actor.ts';
import { OperatingError } from '../errors.ts';
import type { StampedEnvelope } from '../frame/frames.ts';
import type { Mailbox } from './mailbox.ts';

/** An ordered pair of sites with something under way from one to the other. */
export interface Channel {
  readonly source: SiteId;
  readonly target: SiteId;
}

/**
 * The mailboxes of one process: nothing arrives unless `deliver` says so, and then the oldest message of
 * that ordered pair. Whoever chooses the pairs chooses the run.
 */
export class MemoryHub {
  readonly #mailboxes = new Map<SiteId, MemoryMailbox>();
  readonly #channels = new Map<string, { channel: Channel; queue: StampedEnvelope[] }>();
  readonly #wake: () => void;

  /** `wake` is called when a message is posted while none was under way. Default: nobody is told. */
  constructor(wake: () => void = () => undefined) {
    this.#wake = wake;
  }

  mailbox(self: SiteId): Mailbox {
    const mailbox = new MemoryMailbox(self, this);
    this.#mailboxes.set(self, mailbox);
    return mailbox;
  }

  /** The pairs with something under way, in the order in which they came to have it. */
  pending(): readonly Channel[] {
    return [...this.#channels.values()].map(({ channel }) => channel);
  }

  /** Delivers the oldest message of a pair that `pending` named; a target that is not open loses it, loudly. */
  deliver({ source, target }: Channel): void {
    const key = channelKey(source, target);
    const entry = this.#channels.get(key);
    const envelope = entry?.queue.shift();
    if (!entry || !envelope) throw new RangeError(`nothing is under way from ${source} to ${target}`);
    if (entry.queue.length === 0) this.#channels.delete(key);
    const mailbox = this.#mailboxes.get(target);
    if (!mailbox?.receive) {
      throw new OperatingError(
        'UNDELIVERED',
        `${source} sent ${envelope.message.type} to ${target}, which is not open`,
      );
    }
    mailbox.receive(envelope);
  }

  /** Delivers until nothing is under way. `choose` picks the next pair; default: the one that waits longest. */
  run(choose: (pending: readonly Channel[]) => Channel = ([oldest]) => oldest!): void {
    for (let pending = this.pending(); pending.length > 0; pending = this.pending())
      this.deliver(choose(pending));
  }

  /** For mailboxes. */
  put(envelope: StampedEnvelope): void {
    const { source, target } = envelope;
    const key = channelKey(source, target);
    const quiet = this.#channels.size === 0;
    const entry = this.#channels.get(key);
    if (entry) entry.queue.push(envelope);
    else this.#channels.set(key, { channel: { source, target }, queue: [envelope] });
    if (quiet) this.#wake();
  }

  /** For mailboxes. */
  peers(self: SiteId): readonly SiteId[] {
    return [...this.#mailboxes.values()]
      .filter(({ self: id, receive }) => id !== self && receive)
      .map(({ self: id }) => id);
  }
}

class MemoryMailbox implements Mailbox {
  readonly self: SiteId;
  receive: ((envelope: StampedEnvelope) => void) | null = null;
  readonly #hub: MemoryHub;

  constructor(self: SiteId, hub: MemoryHub) {
    this.self = self;
    this.#hub = hub;
  }

  async open(receive: (envelope: StampedEnvelope) => void): Promise<void> {
    this.receive = receive;
  }

  post(envelope: StampedEnvelope): void {
    if (!this.receive) {
      throw new OperatingError(
        'MAILBOX_CLOSED',
        `${this.self} cannot send ${envelope.message.type}: its mailbox is not open`,
      );
    }
    this.#hub.put(envelope);
  }

  connected(): readonly SiteId[] {
    return this.receive ? this.#hub.peers(this.self) : [];
  }

  async close(): Promise<void> {
    this.receive = null;
  }

  abort(): void {
    this.receive = null;
  }
}

// A site id holds no space.
const channelKey = (source: SiteId, target: SiteId) => `${source} ${target}`;
