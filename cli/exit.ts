/** The exit status of every command. */
export const exitStatus = {
  /** All of it held. */
  held: 0,
  /** A property is violated, a record refused, a run went wrong. */
  violated: 1,
  /** The command line names something that does not exist. */
  usage: 2,
  /** A limit was reached, or it was interrupted, before all was known. */
  incomplete: 3,
  /** The reader of standard output is gone; a shell reports SIGPIPE so. */
  brokenPipe: 141,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
