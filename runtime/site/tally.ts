/** Counters of a site over all its locks. */
export class Tally {
  /** Messages by `type`. */
  readonly sent = new Map<string, number>();
  readonly received = new Map<string, number>();
  entered = 0;
  lost = 0;
  suspicions = 0;
  elections = 0;
  untaken = 0;
}
