import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { reasonOf } from '../../machines/errors.ts';
import {
  type Founding,
  type FoundingContext,
  type FoundingEffect,
  type FoundingEvent,
  type FoundingMessage,
  foundingMachine,
} from '../../machines/members/founding.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { StampedEnvelope } from '../api/peer.ts';
import { Driver, type DriverOwner } from '../driver/driver.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Store } from '../store/store.ts';
import { membersLock } from '../wire/frames.ts';
import { foundingLayout } from './protocol.ts';

export interface FoundingActorSetting {
  readonly self: SiteId;
  /** Default: `foundingMachine`. A test gives a mutant. */
  readonly statechart?: AnyStateMachine;
  /** All members of the cluster. */
  readonly founders: readonly SiteId[];
  readonly mailbox: Mailbox;
  readonly store: Store;
  /** A number above the generation of every earlier cluster of this name. */
  readonly generation: () => number;
  /** Every founder has accepted: the locks may be used. */
  readonly founded: (founding: Founding) => void;
  /** The cluster was founded without the data of this site. */
  readonly excluded: (founding: Founding) => void;
  /** The cluster that the data of this site belong to was founded anew. */
  readonly superseded: (founding: Founding) => void;
  /** Is the peer, with its present data, a member of the cluster that these data belong to? */
  readonly isMember: (peer: SiteId) => boolean;
  readonly crashed: (error: InvariantError) => void;
}

/** The effects of the statechart. */
export const foundingEffects = [
  'send',
  'persist',
  'founded',
  'excluded',
  'superseded',
] as const satisfies readonly FoundingEffect['type'][];

/** This site's part in how the cluster is founded (protocol.md, section 4): one actor, for all locks. */
export class FoundingActor implements DriverOwner<FoundingEvent, FoundingEffect, StampedEnvelope> {
  readonly #setting: FoundingActorSetting;
  readonly #driver: Driver<FoundingEvent, FoundingEffect, StampedEnvelope>;
  /** The site that has these data now. */
  readonly #sites = new Map<string, SiteId>();

  constructor(setting: FoundingActorSetting) {
    const { self, founders, store, statechart = foundingMachine } = setting;
    const [proposer] = founders.toSorted((one, other) => (one < other ? -1 : 1));
    this.#setting = setting;
    const input = { self, id: store.id, founders, proposer: proposer!, disk: store.founding };
    this.#driver = new Driver(statechart, foundingEffects, { id: self, input }, this);
  }

  /** Begins, once all that it tells of is ready. */
  start(): void {
    this.#driver.start();
    this.#propose();
  }

  /** The members that no data are known of yet: the cluster cannot be founded before they have been started. */
  get unmet(): readonly SiteId[] {
    const { known } = this.#context;
    return this.#setting.founders.filter((name) => !(name in known));
  }

  /** `peer` is connected, with these data. */
  met(peer: SiteId, id: string): void {
    for (const [earlier, site] of this.#sites) if (site === peer) this.#sites.delete(earlier);
    this.#sites.set(id, peer);
    this.#driver.take({ type: 'met', peer, id });
    this.#propose();
  }

  receive(envelope: StampedEnvelope): void {
    this.#driver.take(envelope.message as FoundingMessage, envelope);
  }

  stop(): void {
    this.#driver.stop();
  }

  get #context(): FoundingContext {
    return this.#driver.state.context as FoundingContext;
  }

  #propose(): void {
    this.#driver.take({ type: 'found', generation: this.#setting.generation() });
  }

  // For the driver.

  due(): readonly FoundingEvent[] {
    return [];
  }

  /** A message must be of one that it is about. */
  judge(event: FoundingEvent, envelope: StampedEnvelope): 'refuse' | 'take' {
    const { self, mailbox } = this.#setting;
    const { type } = event;
    const what = this.#breachBy(event as FoundingMessage, envelope.source);
    if (what === null) return 'take';
    mailbox.refuse(
      envelope,
      new OperatingError('PROTOCOL_BREACH', `${what}; ${self} does not take its ${type}`),
    );
    return 'refuse';
  }

  refuses(): boolean {
    return false;
  }

  #breachBy(said: FoundingMessage, source: SiteId): string | null {
    const { founders, isMember } = this.#setting;
    if (!Object.hasOwn(foundingLayout, said.type))
      return `${source} tells of the cluster what is said of a lock`;
    const sender = senderOf(said);
    if (sender !== null && this.#sites.get(sender) !== source)
      return `${source} speaks for data that are not its own`;
    // One that is founded tells a site that does not know it.
    const isOpen = typeof this.#driver.state.value === 'string';
    if (isOpen && said.type === 'PROPOSE' && Object.keys(said.ids).length !== founders.length)
      return `${source} tells of ${Object.keys(said.ids).length} founders, where there are ${founders.length}`;
    // A founding anew gives its site another id, and takes nobody in who belonged to the cluster before. One that only accepted a
    // founding may be added to another cluster, whose members tell it of theirs.
    const { accepted } = this.#context;
    if (
      !isOpen &&
      said.type === 'FOUNDED' &&
      accepted &&
      said.generation > accepted.generation &&
      isMember(source)
    )
      return `${source} is a member of the cluster of generation ${accepted.generation} and tells of ${said.generation}`;
    return null;
  }

  took(): void {}

  execute(effect: FoundingEffect): void {
    const { self, mailbox, store } = this.#setting;
    switch (effect.type) {
      case 'send': {
        const target = this.#sites.get(effect.target);
        // Its data were met in another run of this site, or their site has others now: it is told when it is met.
        if (target === undefined) return;
        try {
          mailbox.post({ source: self, target, lock: membersLock, message: effect.message, stamp });
        } catch (cause) {
          throw failed(`send ${effect.message.type} to ${target}`, cause);
        }
        return;
      }
      case 'persist': {
        const { generation, ids, stage } = effect;
        store.putFounding({ generation, ids, stage });
        return;
      }
      case 'founded':
        this.#sync();
        this.#setting.founded({ generation: effect.generation, ids: effect.ids });
        return;
      case 'excluded':
        this.#setting.excluded({ generation: effect.generation, ids: effect.ids });
        return;
      case 'superseded':
        // Its callers are told that it takes no part any more: so it must not after a crash.
        this.#sync();
        this.#setting.superseded({ generation: effect.generation, ids: effect.ids });
        return;
      default:
        effect satisfies never;
    }
  }

  #sync(): void {
    try {
      this.#setting.store.sync();
    } catch (cause) {
      throw failed('sync its disk', cause);
    }
  }

  crashed(error: InvariantError): void {
    this.#setting.crashed(error);
  }
}

/** The id that a message names as its sender. */
function senderOf(said: FoundingMessage): string | null {
  switch (said.type) {
    case 'PROPOSE':
      return said.proposer;
    case 'ACCEPTED':
      return said.voter;
    case 'FOUNDED':
      return said.knower;
    default:
      return null;
  }
}

/** Nothing of this is recorded. */
const stamp = { seq: 0, clock: null };

function failed(what: string, cause: unknown): InvariantError {
  return new InvariantError('EFFECT_FAILED', `this site cannot ${what}: ${reasonOf(cause)}`, { cause });
}
