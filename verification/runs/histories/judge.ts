import type { Fence } from '../../../machines/epoch/messages.ts';
import { isBelow } from '../../protocols/epoch/histories.ts';
import type { Entry } from './history.ts';
import { byTime, type Evidence, type Finding, of, rules } from './rules.ts';

export interface Judgement {
  readonly findings: Readonly<Record<string, Finding>>;
  /** No rule is broken. */
  readonly held: boolean;
  readonly figures: Figures;
}

export interface Figures {
  readonly asks: number;
  readonly grants: number;
  readonly cancelled: number;
  readonly lost: number;
  readonly accepted: number;
  readonly refused: number;
  /** Null before the first grant. */
  readonly highestFence: Fence | null;
  /** The longest wait of a served request, from its ask. */
  readonly longestWaitMs: number;
  /** The same, counted from the end of the faults for those that asked before it. Null without an end. */
  readonly longestWaitAfterMs: number | null;
}

/** Judges a run by every rule. `history` need not be sorted. */
export function judge(evidence: Evidence): Judgement {
  const sorted = { ...evidence, history: [...evidence.history].sort(byTime) };
  const findings = Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, rule(sorted)]));
  const held = Object.values(findings).every(({ violations }) => violations.length === 0);
  return { findings, held, figures: figuresOf(sorted.history) };
}

/**
 * One judgement of several locks of a run: a rule that any lock breaks is broken. The figures are those of
 * the first lock.
 */
export function together([first, ...others]: readonly Judgement[]): Judgement {
  const findings = Object.fromEntries(
    Object.entries(first!.findings).map(([name, finding]) => {
      const all = [finding, ...others.map((other) => other.findings[name]!)];
      const judged = all.reduce((sum, one) => sum + one.judged, 0);
      return [name, { judged, violations: all.flatMap(({ violations }) => violations) }];
    }),
  );
  return { ...first!, findings, held: [first!, ...others].every(({ held }) => held) };
}

function figuresOf(history: readonly Entry[]): Figures {
  const grants = of(history, 'grant');
  const quietAt = of(history, 'quiet').at(-1)?.at ?? null;
  const askedAt = new Map(of(history, 'ask').map(({ section, at }) => [section, at]));
  let [longestWaitMs, longestWaitAfterMs] = [0, 0];
  for (const { section, at } of grants) {
    const asked = askedAt.get(section) ?? at;
    longestWaitMs = Math.max(longestWaitMs, at - asked);
    if (quietAt !== null && at > quietAt)
      longestWaitAfterMs = Math.max(longestWaitAfterMs, at - Math.max(asked, quietAt));
  }
  const writes = of(history, 'write');
  const accepted = writes.filter((write) => write.accepted).length;
  return {
    asks: askedAt.size,
    grants: grants.length,
    cancelled: of(history, 'cancel').length,
    lost: of(history, 'lost').length,
    accepted,
    refused: writes.length - accepted,
    highestFence: grants.reduce<Fence | null>(
      (highest, { fence }) => (highest === null || isBelow(highest, fence) ? fence : highest),
      null,
    ),
    longestWaitMs,
    longestWaitAfterMs: quietAt === null ? null : longestWaitAfterMs,
  };
}
