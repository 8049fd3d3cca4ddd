import type { SiteId } from '../../machines/actor.ts';
import type { EventLine, RecordedSnapshot, RecordLine } from '../../machines/record.ts';
import { OneWinner } from '../../verification/runs/promises/epochs.ts';
import { ExcusedOverlaps } from '../../verification/runs/promises/fences.ts';
import type { Refuse } from '../../verification/runs/promises/promises.ts';

/** Checks S2 and S4 of one lock by the vector clocks of its record, as `baton replay` does. */
export class OverlapWitness {
  readonly #elections = new OneWinner();
  readonly #overlaps = new ExcusedOverlaps(this.#elections);
  readonly #snapshots = new Map<SiteId, RecordedSnapshot>();

  /** Returns the rule that `line` breaks, or null. */
  observe(line: RecordLine): string | null {
    if (line.kind === 'link') return null;
    return brokenBy(() => {
      if (line.kind === 'start') {
        const { site, life = 0, input, snapshot } = line;
        const start = { site, life, input, snapshot, effects: [], refuse: refusalAt(site) };
        this.#elections.start(start);
        this.#overlaps.start(start);
      } else this.#step(line);
      this.#snapshots.set(line.site, line.snapshot);
    });
  }

  /** The run is over: returns the rule that is broken unless an election was still to come, or null. */
  end(): string | null {
    return brokenBy(() => this.#overlaps.end());
  }

  #step({ site, seq, clock, cause, snapshot: after, effects }: EventLine): void {
    const before = this.#snapshots.get(site)!;
    const refuse = refusalAt(site);
    const step = { site, seq, clock, cause, received: null, before, after, effects, sent: [], refuse };
    this.#elections.step(step);
    this.#overlaps.step(step);
  }
}

class Refusal extends Error {}

const refusalAt =
  (site: SiteId): Refuse =>
  (code, reason) => {
    throw new Refusal(`${code === 'REPLAY_OVERLAP' ? 'S4' : 'S2'}: at ${site}, ${reason}`);
  };

function brokenBy(judge: () => void): string | null {
  try {
    judge();
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}
