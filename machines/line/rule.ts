import type { SiteId } from '../actor.ts';

/*
 * The line rule (R12) as values: what a site does with its line, for every statechart that keeps one.
 */

/** A site's line and what changes with it. */
export interface Line {
  /** The probable owner of the token, the target of a request. `null` while this site waits or has the token. */
  readonly last: SiteId | null;
  /** The sites that get the token after this one, in order. The first is the `next` of the published algorithm. */
  readonly line: readonly SiteId[];
  readonly token: boolean;
}

/** The next hop of the token: `target` is the first site of a line, and `line` holds the rest of it. */
export interface HandOver {
  readonly target: SiteId;
  readonly line: readonly SiteId[];
}

/**
 * Returns the hand-over to the first site of `line`, followed by `joining`. At least one of the two is not
 * empty.
 */
export function handOver(line: readonly SiteId[], joining?: SiteId): HandOver {
  const rest = line.slice(1);
  if (joining === undefined) return { target: line[0]!, line: rest };
  if (line.length === 0) return { target: joining, line: rest };
  rest.push(joining);
  return { target: line[0]!, line: rest };
}

/** The line after the token has arrived: the entries of the token follow the site's own line. */
export function withToken(line: readonly SiteId[], entries: readonly SiteId[]): Pick<Line, 'line' | 'token'> {
  return { token: true, line: entries.length === 0 ? line : [...line, ...entries] };
}

/**
 * The line after the token has been handed on with it. Requests go to the end of that line, to the site that
 * has the token last.
 */
export function withoutToken(line: readonly SiteId[]): Line {
  return { token: false, line: [], last: line.at(-1)! };
}

/** The line after the token has been handed on with it, where this site stands at the end. */
export const joinedLine: Line = { token: false, line: [], last: null };
