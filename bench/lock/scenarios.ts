/** The work of the clients: each runs `tasks` loops that take one of `locks` and release it at once. */
export interface Scenario {
  readonly name: string;
  readonly processes: number;
  /** Number of clients in each process, each with connections of its own. Default: 1. */
  readonly clients?: number;
  readonly tasks: number;
  readonly locks: number;
}

export const scenarios: readonly Scenario[] = [
  { name: 'uncontended', processes: 1, tasks: 1, locks: 1 },
  ...[2, 4, 8].map((processes) => ({ name: `${processes} processes`, processes, tasks: 1, locks: 1 })),
  { name: '1,000 locks', processes: 4, tasks: 16, locks: 1_000 },
];
