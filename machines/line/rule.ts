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

/** The token's way: to `target`, the first of a line, with the rest of it in `line`. */
export interface HandOver {
  readonly target: SiteId;
  readonly line: readonly SiteId[];
}

/** The hand-over to the first of `line`, which is not empty or has `joining` behind it. */
export function handOver(line: readonly SiteId[], joining?: SiteId): HandOver {
  const [target, ...rest] = joining === undefined ? line : [...line, joining];
  return { target: target!, line: rest };
}

/** The token is here. Its entries go behind those of the own line. */
export function withToken(line: readonly SiteId[], entries: readonly SiteId[]): Pick<Line, 'line' | 'token'> {
  return { token: true, line: entries.length === 0 ? line : [...line, ...entries] };
}

/** The token was handed on with the line. Requests go to the end of that line: the site that has the token last. */
export function withoutToken(line: readonly SiteId[]): Line {
  return { token: false, line: [], last: line.at(-1)! };
}

/** The token was handed on with the line, and this site stands at the end of it. */
export const joinedLine: Line = { token: false, line: [], last: null };
