/**
 * An error that a program can recognise by its `code`. The message begins with the code, then states the
 * expected value, the value that came, and the remedy. A subclass names the codes of one subject.
 */
export class CodedError<Code extends string> extends Error {
  readonly code: Code;
  /** The message without the code. */
  readonly reason: string;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.reason = message;
    this.name = new.target.name;
  }
}

/** The message of an error, or the text of any other thrown value. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
