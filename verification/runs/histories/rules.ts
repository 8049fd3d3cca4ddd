import type { Fence } from '../../../machines/epoch/messages.ts';
import { isBelow } from '../../protocols/epoch/histories.ts';
import type { Ask, Entry, Grant, LedgerLine, OfSection, Split, Write } from './history.ts';

/** Everything that is judged. */
export interface Evidence {
  /** Sorted by `at`. */
  readonly history: readonly Entry[];
  /** The resource's ledger at the end, in its order. */
  readonly ledger: readonly LedgerLine[];
  /**
   * The milliseconds within which every request is served, from the end of the faults or from its ask if that
   * is later.
   */
  readonly servedMs: number;
  /** So long after a split a site of the minority may still think that it reaches the others. */
  readonly detectMs: number;
  /**
   * The members change while there are faults, so a site may be told meanwhile that it is none: an addition that was not agreed on yet can be
   * taken back. Default false.
   */
  readonly membersChange?: boolean;
}

export interface Violation {
  /** In words. */
  readonly what: string;
  /** Those of the history that show it. */
  readonly entries: readonly Entry[];
}

export interface Finding {
  /** How many things the rule looked at: of none it says nothing. */
  readonly judged: number;
  readonly violations: readonly Violation[];
}

type Rule = (evidence: Evidence) => Finding;

export const rules: Readonly<Record<string, Rule>> = {
  'accepted critical sections do not overlap': ({ history }) => {
    const granted = bySection(of(history, 'grant'));
    let highest: Write | null = null;
    return each(acceptedWrites(history), (write) => {
      if (highest === null || !isBelow(write.fence, highest.fence)) {
        highest = write;
        return null;
      }
      return {
        what: `the resource took a write under fence ${text(write.fence)} after one under ${text(highest.fence)}`,
        entries: present(granted.get(write.section), granted.get(highest.section), highest, write),
      };
    });
  },

  'no two sites are inside at once in one epoch (S1, S4)': ({ history }) => {
    const ends = sectionEnds(history);
    const inside = new Map<number, { grant: Grant; until: Entry | null }>();
    return each(of(history, 'grant'), (grant) => {
      const before = inside.get(grant.fence.epoch);
      const until = ends.get(grant.section) ?? null;
      inside.set(grant.fence.epoch, { grant, until });
      if (before === undefined || (before.until !== null && before.until.at <= grant.at)) return null;
      return {
        what: `${grant.site} was granted ${text(grant.fence)} while ${before.grant.site} was inside under ${text(before.grant.fence)}`,
        entries: present(before.grant, grant, before.until),
      };
    });
  },

  'no two grants share a fence (S3)': ({ history }) => {
    const seen = new Map<string, Grant>();
    return each(of(history, 'grant'), (grant) => {
      const before = seen.get(text(grant.fence));
      seen.set(text(grant.fence), grant);
      if (before === undefined) return null;
      return { what: `fence ${text(grant.fence)} was granted twice`, entries: [before, grant] };
    });
  },

  'fences rise within an epoch, and at each site (S5)': ({ history }) => {
    const last = new Map<string, Grant>();
    return each(of(history, 'grant'), (grant) => {
      const [epoch, site] = [`epoch ${grant.fence.epoch}`, `site ${grant.site}`];
      const higher = [last.get(epoch), last.get(site)].find(
        (before) => before !== undefined && isBelow(grant.fence, before.fence),
      );
      for (const key of [epoch, site]) last.set(key, grant);
      if (higher === undefined) return null;
      return {
        what: `fence ${text(grant.fence)} was granted after ${text(higher.fence)}`,
        entries: [higher, grant],
      };
    });
  },

  'no grant without an ask': ({ history }) => {
    const waiting = new Map<string, Entry>();
    const settled = new Map<string, Entry>();
    const violations: Violation[] = [];
    let judged = 0;
    for (const entry of history) {
      if (entry.type === 'ask') waiting.set(entry.section, entry);
      if (entry.type !== 'cancel' && entry.type !== 'rejected' && entry.type !== 'grant') continue;
      if (entry.type === 'grant') {
        judged++;
        if (!waiting.has(entry.section)) {
          const before = settled.get(entry.section);
          violations.push({
            what: `${entry.site} was granted what nobody there waited for`,
            entries: present(before, entry),
          });
        }
      }
      waiting.delete(entry.section);
      settled.set(entry.section, entry);
    }
    return { judged, violations };
  },

  'every caller is served once the faults are over': ({ history, servedMs, membersChange = false }) => {
    const quiet = of(history, 'quiet').at(-1);
    const endAt = history.at(-1)?.at ?? 0;
    if (quiet === undefined) return { judged: 0, violations: [] };
    const ended = new Set(of(history, 'end').map(lifeOf));
    const outcome = new Map<string, OfSection & Entry>();
    for (const entry of history) {
      const settles = entry.type === 'grant' || entry.type === 'cancel' || entry.type === 'rejected';
      if (settles && !outcome.has(entry.section)) outcome.set(entry.section, entry);
    }
    const live = of(history, 'ask').filter((ask) => !ended.has(lifeOf(ask)));
    const due = (ask: Ask) => Math.max(ask.at, quiet.at) + servedMs;
    const judged = live.filter((ask) => outcome.has(ask.section) || due(ask) <= endAt);
    return each(judged, (ask) => {
      const settled = outcome.get(ask.section);
      if (settled?.type === 'rejected') {
        if (membersChange && settled.code === 'NOT_A_MEMBER' && settled.at < quiet.at) return null;
        return {
          what: `${ask.site} lives, and its wait ended with ${settled.code}`,
          entries: [ask, settled],
        };
      }
      if (settled !== undefined && settled.at <= due(ask)) return null;
      return {
        what: `${ask.site} was not served within ${servedMs} ms`,
        entries: present(quiet, ask, settled).toSorted(byTime),
      };
    });
  },

  'nothing accepted is lost': ({ history, ledger }) => {
    const key = ({ section, step }: Pick<Write, 'section' | 'step'>) => `${section} ${step}`;
    const held = new Set(ledger.map(key));
    const writes = new Map(acceptedWrites(history).map((write) => [key(write), write]));
    const heard = each(of(history, 'acknowledged'), (acknowledged) =>
      held.has(key(acknowledged))
        ? null
        : {
            what: `${acknowledged.site} was told that its ${acknowledged.step} was taken; the ledger has none`,
            entries: present(writes.get(key(acknowledged)), acknowledged),
          },
    );
    let count = 0;
    const kept = each(ledger, (line) => {
      const write = writes.get(key(line));
      if (write === undefined)
        return { what: `the ledger has ${key(line)}, which it never took`, entries: [] };
      if (line.step === 'leave') count++;
      if (line.value === count) return null;
      const wrong = {
        what: `${key(line)}: the counter is ${line.value} after ${count} counts`,
        entries: [write],
      };
      count = line.value;
      return wrong;
    });
    return {
      judged: heard.judged + kept.judged,
      violations: [...heard.violations, ...kept.violations],
    };
  },

  'a minority never grants': ({ history, detectMs }) => {
    const splits = of(history, 'split');
    const during = (grant: Grant) => (split: Split) =>
      split.minority.includes(grant.site) && grant.at > split.at + detectMs && grant.at < split.until;
    const long = splits.filter((split) => split.until - split.at > detectMs);
    const violations = of(history, 'grant').flatMap((grant) => {
      const split = long.find(during(grant));
      if (split === undefined) return [];
      const since = Math.round(grant.at - split.at);
      return [
        {
          what: `${grant.site} granted ${since} ms after it was cut off from the majority`,
          entries: [split, grant],
        },
      ];
    });
    return { judged: long.length, violations };
  },

  'no site breaks an invariant': ({ history }) => {
    const violations = of(history, 'crash').map((crash) => ({
      what: `${crash.site} stopped: ${crash.message}`,
      entries: [crash],
    }));
    return { judged: of(history, 'open').length, violations };
  },
};

export function of<Type extends Entry['type']>(history: readonly Entry[], type: Type) {
  return history.filter((entry): entry is Extract<Entry, { type: Type }> => entry.type === type);
}

export function text({ epoch, k }: Fence): string {
  return `(${epoch}, ${k})`;
}

export const byTime = (left: Entry, right: Entry) => left.at - right.at;

const present = (...entries: readonly (Entry | undefined | null)[]): readonly Entry[] =>
  entries.filter((entry) => entry !== undefined && entry !== null);
const lifeOf = ({ site, life }: { site: string; life: number }) => `${site} ${life}`;
const acceptedWrites = (history: readonly Entry[]) => of(history, 'write').filter(({ accepted }) => accepted);

function bySection<E extends { readonly section: string }>(entries: readonly E[]): ReadonlyMap<string, E> {
  return new Map(entries.map((entry) => [entry.section, entry]));
}

/** For each critical section its release, its loss or the end of its site, whichever came first. */
function sectionEnds(history: readonly Entry[]): ReadonlyMap<string, Entry> {
  const ends = new Map<string, Entry>();
  const open = new Map<string, Set<string>>();
  for (const entry of history) {
    if (entry.type === 'grant') {
      const sections = open.get(lifeOf(entry)) ?? new Set();
      open.set(lifeOf(entry), sections.add(entry.section));
    } else if (entry.type === 'release' || entry.type === 'lost') {
      if (open.get(lifeOf(entry))?.delete(entry.section)) ends.set(entry.section, entry);
    } else if (entry.type === 'end' || entry.type === 'crash') {
      for (const section of open.get(lifeOf(entry)) ?? []) ends.set(section, entry);
      open.delete(lifeOf(entry));
    }
  }
  return ends;
}

function each<T>(all: readonly T[], judge: (one: T) => Violation | null): Finding {
  const violations: Violation[] = [];
  for (const one of all) {
    const violation = judge(one);
    if (violation !== null) violations.push(violation);
  }
  return { judged: all.length, violations };
}
