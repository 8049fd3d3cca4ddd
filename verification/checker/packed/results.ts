import type { Core } from './core.ts';
import { type Findings, merge } from './predicate-evaluator.ts';
import type { Found } from './types.ts';

/** What the levels so far have shown. */
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
    this.found = (core.options.watches ?? []).map(() => null);
  }

  add(...findings: readonly Findings[]): void {
    this.pending.push(...findings);
  }

  /** Takes the renamings that were asked for, one after the other. */
  *takeRenamings(): Generator<readonly number[]> {
    const length = 2 + this.core.model.width;
    for (const { renamings } of this.pending) {
      for (let at = 0; at < renamings.length; at += length) yield renamings.slice(at, at + length);
      renamings.length = 0;
    }
  }

  /** Ends a level: the first of each kind stay; true when something broke. */
  conclude(depth: number): boolean {
    const { found, deadlock, deadlocks, cut, represented } = merge(this.pending);
    this.pending = [];
    let broke = false;
    for (const [watch, state] of found.entries()) {
      if (state === null || this.found[watch] !== null) continue;
      this.found[watch] = { state, depth };
      if (this.core.options.watches![watch]!.expect !== 'reachable') broke = true;
    }
    if (deadlock !== null && this.deadlock === null) this.deadlock = { state: deadlock, depth };
    this.deadlocks += deadlocks;
    this.cut += cut;
    this.represented += represented;
    this.decide();
    return broke;
  }

  /** Nobody need look again for what is found. */
  decide(): void {
    const decided = this.found.map((found) => found !== null);
    this.core.judge.decided = decided;
    this.core.judge.deadlockDecided = this.deadlock !== null;
    this.core.tables.drop(decided);
  }
}
