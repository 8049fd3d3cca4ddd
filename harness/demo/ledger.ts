/** The shared ledger's account of the critical sections that wrote it. */
export interface LedgerReport {
  readonly criticalSections: Readonly<Record<string, number>>;
  readonly total: number;
  /** Lines that were written while another site was inside. */
  readonly overlaps: number;
  /** The first of these lines. */
  readonly firstOverlap?: string;
  /** Lines that no critical section writes, and sections with a wrong number. */
  readonly defects: readonly string[];
  /** The sites that were killed inside. */
  readonly cutShort: readonly string[];
  /**
   * Maximum number of other sites' critical sections between two of one site, once all sites have had their
   * first.
   */
  readonly longestWait: number;
}

/**
 * Judges the text of a ledger; see resource.ts. The last section of a site in `killed` may have ended with the site:
 * it has no `leave` then, and the next to enter overlaps with no one.
 */
export function judgeLedger(
  text: string,
  sites: readonly string[],
  killed: readonly string[] = [],
): LedgerReport {
  const counts = new Map(sites.map((site) => [site, 0]));
  const lastTurn = new Map<string, number>();
  const defects: string[] = [];
  const inside = new Set<string>();
  let [turn, overlaps, longestWait] = [0, 0, 0];
  let firstOverlap: string | undefined;
  const lines = text.split('\n').slice(0, -1);
  const last = new Map(lines.map((line, index) => [line.split(' ')[1], index]));
  const cutShort: string[] = [];
  for (const [index, line] of lines.entries()) {
    const at = `line ${index + 1}: ${line}`;
    const [, kind, site, number] = /^(enter|leave) (\S+) (\d+)$/.exec(line) ?? [];
    const count = site === undefined ? undefined : counts.get(site);
    if (kind === undefined || site === undefined || count === undefined) {
      defects.push(at);
      continue;
    }
    if (inside.size > (inside.has(site) ? 1 : 0)) {
      overlaps++;
      firstOverlap ??= `${at}, while ${[...inside].filter((other) => other !== site).join(', ')} was inside`;
    }
    if (kind === 'enter') {
      if (inside.has(site) || Number(number) !== count + 1) defects.push(at);
      if (killed.includes(site) && last.get(site) === index) cutShort.push(site);
      else inside.add(site);
      counts.set(site, count + 1);
      turn++;
      if (lastTurn.size === sites.length) longestWait = Math.max(longestWait, turn - lastTurn.get(site)! - 1);
      lastTurn.set(site, turn);
    } else {
      if (!inside.delete(site) || Number(number) !== count) defects.push(at);
    }
  }
  if (!text.endsWith('\n') && text !== '') defects.push('the last line is cut short');
  for (const site of inside) defects.push(`${site} never left`);
  return {
    criticalSections: Object.fromEntries(counts),
    total: turn,
    overlaps,
    ...(firstOverlap !== undefined && { firstOverlap }),
    defects,
    cutShort,
    longestWait,
  };
}
