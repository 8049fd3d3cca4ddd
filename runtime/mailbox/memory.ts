import type { SiteId } from '../../machines/actor.ts';
import { OperatingError } from '../api/errors.ts';
import type { DownReason, StampedEnvelope } from '../api/peer.ts';
import { type ByeReason, protocolVersion } from '../wire/frames.ts';
import type { Since } from '../wire/layout.ts';
import type { Mailbox, MailboxHandlers } from './mailbox.ts';

/** An ordered pair of sites with something under way from one to the other. */
export interface Channel {
  readonly source: SiteId;
  readonly target: SiteId;
}

/**
 * The mailboxes of one process: nothing arrives unless `deliver` says so, and then the oldest message of
 * that ordered pair. The choice of pairs is the choice of the run. `cut`, `restore` and `crash` are its faults,
 * and the handlers are told at once. A message that is refused
 * (`MailboxHandlers.receive`) ends that link's life, as over TCP.
 */
export class MemoryHub {
  /** The breaches of the protocol that were found. */
  readonly breaches: OperatingError[] = [];
  readonly #mailboxes = new Map<SiteId, MemoryMailbox>();
  readonly #channels = new Map<string, { channel: Channel; queue: StampedEnvelope[] }>();
  readonly #cuts = new Set<string>();
  readonly #lives = new Map<SiteId, number>();
  readonly #wake: () => void;
  /** For mailboxes. */
  readonly since: Since;

  /**
   * `wake` is called when a message is posted while none was under way. Default: nobody is told. `since`: the version of the wire that
   * each message came with, where it is not the oldest one.
   */
  constructor(wake: () => void = () => undefined, since: Since = {}) {
    this.#wake = wake;
    this.since = since;
  }

  /**
   * The mailbox of `self`, whose data has this id. A second one is its next life, which the others meet when it opens. `version`: of the
   * wire, as `self` speaks it. Default: that of this build.
   */
  mailbox(self: SiteId, id: string = self, version: number = protocolVersion): Mailbox {
    const life = (this.#lives.get(self) ?? 0) + 1;
    this.#lives.set(self, life);
    return new MemoryMailbox(self, `${self}-${life}`, { id, version }, this);
  }

  /** The pairs with something under way that is not cut, in the order in which they came to have it. */
  pending(): readonly Channel[] {
    const pending: Channel[] = [];
    for (const { channel } of this.#channels.values())
      if (this.#cuts.size === 0 || !this.#cuts.has(pairKey(channel.source, channel.target)))
        pending.push(channel);
    return pending;
  }

  /** Delivers the oldest message of a pair that `pending` named; a target that is not open loses it, loudly. */
  deliver({ source, target }: Channel): void {
    const key = channelKey(source, target);
    const entry = this.#channels.get(key);
    const envelope = entry?.queue.shift();
    if (!entry || !envelope) throw new RangeError(`nothing is under way from ${source} to ${target}`);
    if (entry.queue.length === 0) this.#channels.delete(key);
    const mailbox = this.#mailboxes.get(target);
    if (!mailbox?.handlers) {
      throw new OperatingError(
        'UNDELIVERED',
        `${source} sent ${envelope.message.type} to ${target}, which is not open`,
      );
    }
    try {
      mailbox.handlers.receive(envelope);
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      this.#beginAnew(source, target, [envelope]);
    }
  }

  /** Delivers until nothing is under way. `choose` picks the next pair; default: the one that waits longest. */
  run(choose: (pending: readonly Channel[]) => Channel = ([oldest]) => oldest!): void {
    for (let pending = this.pending(); pending.length > 0; pending = this.pending())
      this.deliver(choose(pending));
  }

  /** No message passes between the two, and each finds the other `silent`; posted messages wait. */
  cut(one: SiteId, other: SiteId): void {
    this.#cuts.add(pairKey(one, other));
    this.#between(one, other, (mailbox, peer) => mailbox.believeDown(peer.self, 'silent'));
  }

  /** Ends a `cut`. */
  restore(one: SiteId, other: SiteId): void {
    this.#cuts.delete(pairKey(one, other));
    this.#between(one, other, (mailbox, peer) => mailbox.meet(peer));
  }

  /** All that is under way between the two is lost, and both are told: as after too much waited for one of them. Nothing where they are cut. */
  lose(one: SiteId, other: SiteId): void {
    if (one !== other && !this.#cuts.has(pairKey(one, other))) this.#beginAnew(one, other, []);
  }

  /** The process of `site` is gone, and all that was under way to it or from it; the others find it `refused`. */
  crash(site: SiteId): void {
    const gone = this.#mailboxes.get(site);
    if (!gone?.handlers) throw new RangeError(`${site} is not open`);
    gone.handlers = null;
    this.#loseAllOf(site);
    this.#others(gone, (peer) => peer.believeDown(site, 'refused'));
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
  opened(mailbox: MemoryMailbox): void {
    const { self } = mailbox;
    if (this.#mailboxes.has(self)) this.#loseAllOf(self);
    this.#mailboxes.set(self, mailbox);
    this.#others(mailbox, (peer) => {
      peer.meet(mailbox);
      mailbox.meet(peer);
    });
  }

  /** For mailboxes. */
  closed(mailbox: MemoryMailbox, reason: ByeReason): void {
    this.#others(mailbox, (peer) => peer.believeDown(mailbox.self, reason));
  }

  /** For mailboxes: the link between its source and its target begins a new life. */
  refused(envelope: StampedEnvelope, error: OperatingError): void {
    this.breaches.push(error);
    this.#beginAnew(envelope.source, envelope.target, [envelope]);
  }

  /** Tells both that the messages under way between them are lost, and `refused` with them. */
  #beginAnew(source: SiteId, target: SiteId, refused: readonly StampedEnvelope[]): void {
    const lost = (from: SiteId, to: SiteId): readonly StampedEnvelope[] => {
      const key = channelKey(from, to);
      const queue = this.#channels.get(key)?.queue ?? [];
      this.#channels.delete(key);
      return queue;
    };
    this.#mailboxes.get(source)?.lose(target, [...refused, ...lost(source, target)]);
    this.#mailboxes.get(target)?.lose(source, lost(target, source));
    this.#between(source, target, (mailbox, peer) => mailbox.meetAnew(peer));
  }

  /** Drops the messages that are under way to `site` or from it. */
  #loseAllOf(site: SiteId): void {
    for (const [key, { channel, queue }] of this.#channels) {
      if (channel.source !== site && channel.target !== site) continue;
      this.#channels.delete(key);
      if (channel.target === site) this.#mailboxes.get(channel.source)?.lose(site, queue);
    }
  }

  /** The others that are open and not cut off. */
  #others({ self }: MemoryMailbox, tell: (peer: MemoryMailbox) => void): void {
    for (const peer of this.#mailboxes.values()) {
      if (peer.self !== self && peer.handlers && !this.#cuts.has(pairKey(self, peer.self))) tell(peer);
    }
  }

  #between(one: SiteId, other: SiteId, tell: (mailbox: MemoryMailbox, peer: MemoryMailbox) => void): void {
    const [first, second] = [this.#mailboxes.get(one), this.#mailboxes.get(other)];
    if (!first?.handlers || !second?.handlers) return;
    tell(first, second);
    tell(second, first);
  }
}

interface Known {
  readonly incarnation: string;
  readonly id: string;
  /** The highest that both sides speak. */
  readonly version: number;
  up: boolean;
}

class MemoryMailbox implements Mailbox {
  readonly self: SiteId;
  readonly incarnation: string;
  readonly id: string;
  readonly version: number;
  handlers: MailboxHandlers | null = null;
  readonly #hub: MemoryHub;
  readonly #known = new Map<SiteId, Known>();
  /** The messages to an incarnation that is over. */
  readonly #lost = new Map<SiteId, StampedEnvelope[]>();

  constructor(
    self: SiteId,
    incarnation: string,
    { id, version }: Pick<Known, 'id' | 'version'>,
    hub: MemoryHub,
  ) {
    this.self = self;
    this.incarnation = incarnation;
    this.id = id;
    this.version = version;
    this.#hub = hub;
  }

  async open(handlers: MailboxHandlers): Promise<void> {
    this.handlers = handlers;
    this.#hub.opened(this);
  }

  post(envelope: StampedEnvelope): void {
    if (!this.handlers) {
      throw new OperatingError(
        'MAILBOX_CLOSED',
        `${this.self} cannot send ${envelope.message.type}: its mailbox is not open`,
      );
    }
    this.handlers.beforeWrite();
    // Its disk has failed: it has ended, and nothing that it tells of was kept.
    if (!this.handlers) return;
    const { [envelope.message.type]: since = 0 } = this.#hub.since;
    if (since <= (this.versionOf(envelope.target) ?? 0)) this.#hub.put(envelope);
  }

  refuse(envelope: StampedEnvelope, error: OperatingError): void {
    this.#hub.refused(envelope, error);
  }

  // Every mailbox that opens here meets all others.

  add(): void {}

  // They meet as soon as both are there.

  recheck(): boolean {
    return false;
  }

  remove(): void {}

  addressOf(): null {
    return null;
  }

  versionOf(peer: SiteId): number | null {
    return this.#known.get(peer)?.version ?? null;
  }

  isUp(peer: SiteId): boolean {
    return this.#known.get(peer)?.up ?? false;
  }

  outboxFill(): number {
    return 0;
  }

  connected(): readonly SiteId[] {
    return this.handlers ? [...this.#known].flatMap(([peer, { up }]) => (up ? peer : [])) : [];
  }

  async close(reason: ByeReason): Promise<void> {
    if (!this.handlers) return;
    this.handlers = null;
    this.#hub.closed(this, reason);
  }

  abort(): void {
    if (this.handlers) this.#hub.crash(this.self);
  }

  /** For the hub: `peer` answers. */
  meet(mailbox: MemoryMailbox): void {
    const { self: peer, incarnation } = mailbox;
    const known = this.#known.get(peer);
    if (known?.incarnation === incarnation && known.up) return;
    this.#tell(mailbox, known !== undefined && known.incarnation !== incarnation);
  }

  /** For the hub: the link to `peer` is another, though its life may be the same. */
  meetAnew(mailbox: MemoryMailbox): void {
    this.#tell(mailbox, true);
  }

  #tell({ self: peer, incarnation, id, version: theirs }: MemoryMailbox, restarted: boolean): void {
    const lost = this.#lost.get(peer) ?? [];
    const version = Math.min(this.version, theirs);
    this.#known.set(peer, { incarnation, id, version, up: true });
    this.#lost.delete(peer);
    this.handlers?.peerChanged(
      restarted ? { type: 'restarted', peer, incarnation, lost } : { type: 'up', peer, incarnation },
      id,
    );
  }

  /** For the hub: these will never arrive. */
  lose(peer: SiteId, envelopes: readonly StampedEnvelope[]): void {
    this.#lost.set(peer, [...(this.#lost.get(peer) ?? []), ...envelopes]);
  }

  /** For the hub: `peer` answers no longer. */
  believeDown(peer: SiteId, why: DownReason): void {
    const known = this.#known.get(peer);
    if (known && !known.up) return;
    if (known) known.up = false;
    this.handlers?.peerChanged({ type: 'down', peer, why }, known?.id ?? null);
  }
}

// A site id holds no space.
const channelKey = (source: SiteId, target: SiteId) => `${source} ${target}`;
const pairKey = (one: SiteId, other: SiteId) => (one < other ? `${one} ${other}` : `${other} ${one}`);
