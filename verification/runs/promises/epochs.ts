import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import type { EpochEffect, SiteMessage } from '../../../machines/epoch/messages.ts';
import type { SiteContext } from '../../../machines/epoch/site.ts';
import type { RecordedSnapshot } from '../../../machines/record.ts';
import type { GlobalPromise, JudgedStep, LifeStart, Refuse } from './promises.ts';

type Of<Type extends EpochEffect['type']> = Extract<EpochEffect, { readonly type: Type }>;

/** The effects of one type, in order. */
export function effectsOf<Type extends EpochEffect['type']>(
  effects: readonly NamedAction[],
  type: Type,
): readonly Of<Type>[] {
  return effects.filter((effect) => effect.type === type) as unknown as readonly Of<Type>[];
}

export function contextOf({ context }: RecordedSnapshot): SiteContext {
  return context as SiteContext;
}

/**
 * S1: at most one token of each epoch. Its root makes it, and it may be lost with a site or a link; no other
 * site makes one. A rule that holds for every step holds at every consistent cut, in any order of the steps.
 */
export class TokenPerEpoch implements GlobalPromise {
  readonly #made = new Set<number>();

  start({ snapshot, refuse }: LifeStart): void {
    this.#judge([], held(snapshot), refuse);
  }

  step({ received, before, after, sent, refuse }: JudgedStep): void {
    const was = [...held(before), ...(received === null ? [] : carried(received as SiteMessage))];
    this.#judge(was, [...held(after), ...sent.flatMap((message) => carried(message as SiteMessage))], refuse);
  }

  #judge(before: number[], after: readonly number[], refuse: Refuse): void {
    for (const epoch of after) {
      const index = before.indexOf(epoch);
      if (index >= 0) before.splice(index, 1);
      else if (this.#made.has(epoch)) {
        refuse('REPLAY_TOKEN', `the step makes a token of epoch ${epoch}, which had one (S1)`);
      } else this.#made.add(epoch);
    }
  }
}

/** The epochs of the tokens at a site. */
function held(snapshot: RecordedSnapshot): number[] {
  const { token, epoch } = contextOf(snapshot);
  return token ? [epoch] : [];
}

/** The epochs of the tokens in a message. */
function carried(message: SiteMessage): number[] {
  return message.type === 'TOKEN' ? [message.epoch] : [];
}

/** S2: each epoch has at most one winner, and so one root for all sites that adopt it. */
export class OneWinner implements GlobalPromise {
  readonly #elections = new Map<
    number,
    { readonly site: SiteId; readonly voters: Of<'elected'>['voters'] }
  >();
  readonly #roots = new Map<number, { readonly site: SiteId; readonly root: SiteId }>();

  start({ site, snapshot, refuse }: LifeStart): void {
    this.#adopt(site, contextOf(snapshot), refuse);
  }

  step({ site, effects, after, refuse }: JudgedStep): void {
    for (const { epoch, voters } of effectsOf(effects, 'elected')) {
      const before = this.#elections.get(epoch);
      if (before !== undefined) {
        refuse('REPLAY_ELECTION', `epoch ${epoch} was won by ${before.site} already (S2)`);
      }
      this.#elections.set(epoch, { site, voters });
    }
    this.#adopt(site, contextOf(after), refuse);
  }

  /** Was there an election above epoch `from`, up to epoch `to`, that `site` took no part in? So far. */
  wasAbsent(site: SiteId, from: number, to: number): boolean {
    for (let epoch = from + 1; epoch <= to; epoch++) {
      const election = this.#elections.get(epoch);
      if (election !== undefined && !Object.hasOwn(election.voters, site)) return true;
    }
    return false;
  }

  #adopt(site: SiteId, { epoch, root }: Pick<SiteContext, 'epoch' | 'root'>, refuse: Refuse): void {
    const before = this.#roots.get(epoch);
    if (before === undefined) this.#roots.set(epoch, { site, root });
    else if (before.root !== root) {
      refuse(
        'REPLAY_ELECTION',
        `epoch ${epoch} has root ${root} here, and root ${before.root} at ${before.site} (S2)`,
      );
    }
  }
}
