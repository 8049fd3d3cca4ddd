/** The exit status of every command. */
export const exitStatus = {
  /** All checks passed. */
  held: 0,
  /** A property is violated, a record is refused, or a run failed. */
  violated: 1,
  /** The command line names something that does not exist. */
  usage: 2,
  /** A limit or an interrupt ended the command before the result was complete. */
  incomplete: 3,
  /** The reader of standard output is gone. A shell reports SIGPIPE by this status. */
  brokenPipe: 141,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
