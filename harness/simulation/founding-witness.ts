import type { SiteId } from '../../machines/actor.ts';
import { type Founding, type FoundingDisk, isSameFounding } from '../../machines/members/founding.ts';

interface Known extends Founding {
  readonly accepted: Set<string>;
  /** The ids that have it on their disks that it is founded. */
  readonly by: Set<string>;
}

/** Checks the promises of M8 by what is on the disks of all founders, as the checker does by their states. */
export class FoundingWitness {
  readonly #foundings: Known[] = [];

  /** The disk of `self`, with the data `id`, has kept this. Returns the promise that is broken, or null. */
  synced(self: SiteId, id: string, { stage, generation, ids }: FoundingDisk): string | null {
    // A site that was added later tells of a founding that it was no part of.
    if (stage === 'superseded' || (stage === 'settled' && ids[self] !== id)) return null;
    if (ids[self] !== id)
      return `M8: ${id} takes part in the founding ${generation}, which names ${ids[self]}`;
    const known = this.#known({ generation, ids });
    known.accepted.add(id);
    if (stage === 'accepted') return null;
    known.by.add(id);
    const all = Object.values(ids);
    const missing = all.filter((one) => !known.accepted.has(one));
    if (missing.length > 0)
      return `M8: ${id} knows that ${generation} is founded, which ${missing.join(', ')} did not accept`;
    if (stage === 'settled' && 2 * known.by.size <= all.length)
      return `M8: ${id} uses locks of ${generation}, and only ${[...known.by].join(', ')} know that it is founded`;
    return this.#later(known);
  }

  #known(founding: Founding): Known {
    const found = this.#foundings.find((one) => isSameFounding(one, founding));
    const known = found ?? { ...founding, accepted: new Set(), by: new Set() };
    if (!found) this.#foundings.push(known);
    return known;
  }

  /** No id that knows of a founding is part of a later one. */
  #later(founding: Known): string | null {
    for (const other of this.#foundings) {
      if (other === founding || other.by.size === 0) continue;
      const [one, later] = other.generation < founding.generation ? [other, founding] : [founding, other];
      const part = Object.values(later.ids).find((id) => one.by.has(id));
      if (part !== undefined)
        return `M8: ${part} knows that ${one.generation} is founded, and is part of ${later.generation}, which is founded too`;
    }
    return null;
  }
}
