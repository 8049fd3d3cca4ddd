import type { Core } from './core.ts';
import { type Findings, merge } from './predicate-evaluator.ts';
import type { Found, NamedPredicate } from './types.ts';

/** The findings of the levels so far. */
export class Results {
  found: (Found | null)[];
  deadlock: Found | null = null;
  deadlocks = 0;
  cut = 0;
  represented = 0;
  private readonly core: Core;
  private pending: Findings[] = [];

  constructor(core: Core) {
    this.core = core;
    this.found = (core.options.predicates ?? []).map(() => null);
  }

  add(...findings: readonly Findings[]): void {
    this.pending.push(...findings);
  }

  /** Removes and yields the requested renamings, one after the other. */
  *takeRenamings(): Generator<readonly number[]> {
    const length = 2 + this.core.model.width;
    for (const { renamings } of this.pending) {
      for (let at = 0; at < renamings.length; at += length) yield renamings.slice(at, at + length);
      renamings.length = 0;
    }
  }

  /** Ends a level. The first state of each kind is kept. Returns true when a predicate was violated. */
  conclude(depth: number): boolean {
    const { found, deadlock, deadlocks, cut, represented } = merge(this.pending);
    this.pending = [];
    let broke = false;
    for (const [predicate, state] of found.entries()) {
      if (state === null || this.found[predicate] !== null) continue;
      this.found[predicate] = { state, depth };
      if (this.core.options.predicates![predicate]!.expect !== 'reachable') broke = true;
    }
    if (deadlock !== null && this.deadlock === null) this.deadlock = { state: deadlock, depth };
    this.deadlocks += deadlocks;
    this.cut += cut;
    this.represented += represented;
    this.decide();
    return broke;
  }

  /** The names of the predicates that were violated. */
  violated(): readonly string[] {
    return violatedNames(this.core.options.predicates, this.found);
  }

  /** Stops the search for states that have been found. */
  decide(): void {
    const decided = this.found.map((found) => found !== null);
    this.core.judge.decided = decided;
    this.core.judge.deadlockDecided = this.deadlock !== null;
    this.core.tables.drop(decided);
  }
}

/** The names of the predicates that the found states violate. */
export function violatedNames(
  predicates: readonly NamedPredicate[] | undefined,
  found: readonly (Found | null)[],
): readonly string[] {
  return (predicates ?? [])
    .filter(({ expect }, index) => expect !== 'reachable' && found[index] !== null)
    .map(({ name }) => name);
}
