/** What every verb tells its caller. */
export const exitStatus = {
  /** All of it held. */
  held: 0,
  /** A property is violated, a record refused, a run went wrong. */
  violated: 1,
  /** The command line asks for what there is not. */
  usage: 2,
  /** A limit was reached, or it was interrupted, before all was known. */
  incomplete: 3,
  /** Whoever read standard output is gone: as a shell says of SIGPIPE. */
  brokenPipe: 141,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
