import type { SiteId } from '../../machines/actor.ts';
import type { OperatingError } from '../../runtime/api/errors.ts';
import type { Address, StampedEnvelope } from '../../runtime/api/peer.ts';
import type { Mailbox, MailboxHandlers } from '../../runtime/mailbox/mailbox.ts';
import type { ByeReason } from '../../runtime/wire/frames.ts';
import { membersLock } from '../../runtime/wire/frames.ts';

/**
 * A mailbox that keeps the messages of a lock until it is told to deliver them. Messages of the founding pass
 * at once. It does not tell its site of the end of a peer: a site suspects when the caller says so.
 */
export class HeldMailbox implements Mailbox {
  readonly self: SiteId;
  readonly #inner: Mailbox;
  /** The messages by lock and source, oldest first. */
  readonly #held = new Map<string, Map<SiteId, StampedEnvelope[]>>();
  /** The incarnation of each peer that was up last. */
  readonly #met = new Map<SiteId, string>();
  #handlers: MailboxHandlers | null = null;

  constructor(inner: Mailbox) {
    this.self = inner.self;
    this.#inner = inner;
  }

  /** The messages that have come from `source` for `lock`, oldest first. */
  held(source: SiteId, lock: string): readonly StampedEnvelope[] {
    return this.#held.get(lock)?.get(source) ?? [];
  }

  /** Number of messages that have come for `lock`. */
  count(lock: string): number {
    let count = 0;
    for (const held of this.#held.get(lock)?.values() ?? []) count += held.length;
    return count;
  }

  /** Whether this incarnation of the peer is the one that was up last. */
  hasMet(peer: SiteId, incarnation: string): boolean {
    return this.#met.get(peer) === incarnation;
  }

  /** Delivers the oldest message from `source` for `lock`. */
  deliver(source: SiteId, lock: string): void {
    const envelope = this.#held.get(lock)?.get(source)?.shift();
    if (envelope === undefined) throw new RangeError(`${this.self} holds nothing from ${source} for ${lock}`);
    this.#handlers!.receive(envelope);
  }

  open(handlers: MailboxHandlers): Promise<void> {
    this.#handlers = handlers;
    return this.#inner.open({
      receive: (envelope) => {
        const { source, lock } = envelope;
        if (lock === membersLock) return handlers.receive(envelope);
        const ofLock = this.#held.get(lock) ?? new Map<SiteId, StampedEnvelope[]>();
        this.#held.set(lock, ofLock);
        const held = ofLock.get(source);
        if (held === undefined) ofLock.set(source, [envelope]);
        else held.push(envelope);
      },
      peerChanged: (change, id) => {
        if (change.type === 'down') return;
        const isFirst = !this.#met.has(change.peer);
        this.#met.set(change.peer, change.incarnation);
        if (isFirst) handlers.peerChanged(change, id);
      },
      beforeWrite: () => handlers.beforeWrite(),
    });
  }

  post(envelope: StampedEnvelope): void {
    this.#inner.post(envelope);
  }

  refuse(envelope: StampedEnvelope, error: OperatingError): void {
    this.#inner.refuse(envelope, error);
  }

  add(peer: SiteId, address: Address | null): void {
    this.#inner.add(peer, address);
  }

  recheck(peer: SiteId): boolean {
    return this.#inner.recheck(peer);
  }

  remove(peer: SiteId): void {
    this.#inner.remove(peer);
  }

  addressOf(peer: SiteId): Address | null {
    return this.#inner.addressOf(peer);
  }

  versionOf(peer: SiteId): number | null {
    return this.#inner.versionOf(peer);
  }

  isUp(peer: SiteId): boolean {
    return this.#met.has(peer);
  }

  outboxFill(peer: SiteId): number {
    return this.#inner.outboxFill(peer);
  }

  connected(): readonly SiteId[] {
    return this.#inner.connected();
  }

  close(reason: ByeReason): Promise<void> {
    return this.#inner.close(reason);
  }

  abort(): void {
    this.#inner.abort();
  }
}
