import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import type { SiteContext } from '../../machines/epoch/site.ts';
import type { EventLine } from '../../machines/record.ts';

type Request = Extract<SiteMessage, { readonly type: 'REQUEST' }>;
type Token = Extract<SiteMessage, { readonly type: 'TOKEN' }>;

/** One epoch as it was observed: the way of the token, and the sites that it passes. */
interface Epoch {
  /** The sites that the token is to reach, in no order, without those that stand in their lines. */
  ahead: readonly SiteId[];
  /** The sites in the line of the token that it has not reached yet, and how many others have entered since. */
  readonly waits: Map<SiteId, number>;
  /** How often the last request of each site was passed on. */
  readonly hops: Map<SiteId, number>;
  readonly lines: Map<SiteId, readonly SiteId[]>;
}

/**
 * Checks the rule of the line (R12) across sites, within each epoch: a request is passed on by each other site at most once, and from
 * the time at which it is in the line of the token at most N - 1 other sites enter before it ("Bounded overtaking"). A site that hands the
 * token on sends later requests to the end of its line.
 */
export class LineWitness {
  readonly #epochs = new Map<string, Epoch>();

  /** Returns the rule that `line` breaks, or null. `sites`: how many there are; `generation`: of the cluster. */
  observe({ site, event, effects, snapshot }: EventLine, sites: number, generation: number): string | null {
    const context = snapshot.context as unknown as SiteContext;
    const known = this.#epoch(`${generation} ${context.epoch}`);
    known.lines.set(site, context.line);
    const most = sites - 1;
    if (event.type === 'TOKEN' && (event as Token).epoch === context.epoch) {
      const late = this.#enter(known, site, effects, most);
      if (late !== null) return late;
    }
    for (const { target, message } of sent(effects)) {
      const { epoch } = message as Request | Token;
      if (epoch !== context.epoch) continue;
      if (message.type === 'TOKEN') {
        known.ahead = [];
        const end = message.line.at(-1) ?? target;
        if ((context.last ?? site) !== end)
          return `R12: ${site} hands on a line that ends with ${end}, and sends requests to ${context.last}`;
      }
      if (message.type !== 'REQUEST') continue;
      const hops = message.origin === site ? 0 : (known.hops.get(message.origin) ?? 0) + 1;
      known.hops.set(message.origin, hops);
      if (hops > most)
        return `R12: the request of ${message.origin} is passed on ${hops} times in epoch ${epoch}`;
    }
    this.#follow(known, site, context, effects);
    return null;
  }

  #epoch(of: string): Epoch {
    const known = this.#epochs.get(of) ?? { ahead: [], waits: new Map(), hops: new Map(), lines: new Map() };
    this.#epochs.set(of, known);
    return known;
  }

  #enter(known: Epoch, site: SiteId, effects: readonly NamedAction[], most: number): string | null {
    known.waits.delete(site);
    if (!effects.some(({ type }) => type === 'grant')) return null;
    for (const [waiting, before] of known.waits) {
      if (before === most)
        return `bounded overtaking: ${waiting} stands in the line of the token, and ${most + 1} others enter before it`;
      known.waits.set(waiting, before + 1);
    }
    return null;
  }

  /** The token is at `site`, or has just left it. */
  #follow(known: Epoch, site: SiteId, context: SiteContext, effects: readonly NamedAction[]): void {
    for (const { target, message } of sent(effects))
      if (message.type === 'TOKEN' && message.epoch === context.epoch)
        known.ahead = [target, ...message.line];
    if (context.token) known.ahead = context.line;
    const line = new Set(known.ahead);
    for (const one of line) for (const other of known.lines.get(one) ?? []) line.add(other);
    for (const one of line)
      if (!known.waits.has(one) && !(context.token && one === site)) known.waits.set(one, 0);
  }
}

function sent(
  effects: readonly NamedAction[],
): readonly { readonly target: SiteId; readonly message: SiteMessage }[] {
  return effects.flatMap((effect) =>
    effect.type === 'send'
      ? [{ target: effect['target'] as SiteId, message: effect['message'] as SiteMessage }]
      : [],
  );
}
