import type { SiteId } from '../../machines/actor.ts';
import type { InFlight } from '../system/system.ts';
import type { KeptMessages } from './forget.ts';
import type { Message, TypedValue } from './format.ts';
import { sorted } from './taken.ts';

interface Sent {
  readonly index: number;
  readonly seq: number;
}

/**
 * The messages of a recorded run. The record tells for each message in which event it was sent. Links are
 * queues.
 */
export class Post {
  all: Message[] = [];
  /**
   * Indices of the messages on their way, by target and source, oldest first. `seq` is the event that sent
   * the message.
   */
  readonly #links = new Map<SiteId, Map<SiteId, Sent[]>>();
  #count = 0;

  send(source: SiteId, target: SiteId, message: TypedValue, seq: number, moment: number): void {
    const index =
      this.all.push({ source, target, message, sent: moment, ended: null, fate: 'under way' }) - 1;
    this.#link(source, target).push({ index, seq });
    this.#count++;
  }

  /** Adds a message that is known only by its receipt or only by its sending. */
  mention(message: Omit<Message, 'fate'>, fate: Message['fate']): number {
    return this.all.push({ ...message, fate }) - 1;
  }

  /** The fate of all messages on their way to `target` will not be seen. */
  forget(target: SiteId, moment: number): void {
    for (const source of this.#links.get(target)?.keys() ?? []) this.#cutAs(source, target, moment, 'unseen');
  }

  /**
   * Returns the message that `target` receives. Earlier messages of the link are lost. `null`: its sending is
   * not known.
   */
  receive(
    target: SiteId,
    cause: { site: SiteId; seq: number },
    event: TypedValue,
    moment: number,
  ): number | null {
    const link = this.#link(cause.site, target);
    const text = sorted(event);
    let at = firstOf(link, cause.seq);
    while (link[at]?.seq === cause.seq && sorted(this.all[link[at]!.index]!.message) !== text) at++;
    if (link[at]?.seq !== cause.seq) return null;
    const passed = link.splice(0, at + 1);
    for (const { index } of passed.slice(0, -1)) this.#end(index, moment, 'lost');
    const { index } = passed.at(-1)!;
    this.#end(index, moment, 'received');
    return index;
  }

  /** All messages on their way from `source` to `target` are lost. */
  cut(source: SiteId, target: SiteId, moment: number): void {
    this.#cutAs(source, target, moment, 'lost');
  }

  #cutAs(source: SiteId, target: SiteId, moment: number, fate: Message['fate']): void {
    for (const { index } of this.#link(source, target).splice(0)) this.#end(index, moment, fate);
  }

  /** Number of messages on their way. */
  get count(): number {
    return this.#count;
  }

  inbox(target: SiteId): readonly InFlight[] {
    return [...(this.#links.get(target) ?? [])].flatMap(([source, link]) =>
      link.map(({ index }) => ({ source, message: this.all[index]!.message })),
    );
  }

  /** Keeps these messages under their new indices. Those on their way are among them. */
  keep({ messages, indices }: KeptMessages): void {
    this.all = [...messages];
    for (const links of this.#links.values()) {
      for (const [source, link] of links)
        links.set(
          source,
          link.map(({ index, seq }) => ({ index: indices.get(index)!, seq })),
        );
    }
  }

  #end(index: number, moment: number, fate: Message['fate']): void {
    this.all[index] = { ...this.all[index]!, ended: moment, fate };
    this.#count--;
  }

  #link(source: SiteId, target: SiteId): Sent[] {
    const links = this.#links.get(target) ?? new Map<SiteId, Sent[]>();
    this.#links.set(target, links);
    const link = links.get(source) ?? [];
    links.set(source, link);
    return link;
  }
}

/** The index of the first message sent in event `seq` or later. A link is in the order of sending. */
function firstOf(link: readonly Sent[], seq: number): number {
  let [low, high] = [0, link.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (link[middle]!.seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
