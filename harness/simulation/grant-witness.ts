import type { SiteId } from '../../machines/actor.ts';
import type { Fence } from '../../machines/epoch/messages.ts';
import type { SiteContext } from '../../machines/epoch/site.ts';
import type { EventLine } from '../../machines/record.ts';

/**
 * Checks that a site grants only while it follows the epoch of its token (R3), that no fence changes within a section (R2), and that a site
 * forgets no lock that its callers wait for or hold (R13).
 */
export class GrantWitness {
  /** The fence of the last grant at each site. */
  readonly #fences = new Map<SiteId, Fence>();

  /** Returns the rule that `line` breaks, or null. */
  observe({ site, snapshot, effects }: EventLine): string | null {
    const { token, fence } = snapshot.context as unknown as SiteContext;
    const { client, epoch } = snapshot.value as { readonly client: string; readonly epoch: string };
    for (const effect of effects) {
      if (effect.type === 'forgotten' && client !== 'idle')
        return `R13: ${site} forgets the lock while it is ${client}`;
      if (effect.type !== 'grant') continue;
      this.#fences.set(site, effect['fence'] as Fence);
      if (epoch !== 'following' || !token)
        return `R3: ${site} is granted while it is ${epoch} ${token ? 'with' : 'without'} the token`;
    }
    const granted = this.#fences.get(site);
    if (client !== 'inCS' || (fence?.epoch === granted?.epoch && fence?.k === granted?.k)) return null;
    return `R2: ${site} was granted (${granted?.epoch}, ${granted?.k}), and is inside with (${fence?.epoch}, ${fence?.k})`;
  }
}
