import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';

/** Reads and prints lines: with a prompt on a terminal, without one in a pipe. */
export class Console {
  readonly #terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  readonly #readline: Interface;
  readonly #lines: AsyncIterator<string>;
  #open = true;

  constructor(prompt: string) {
    const output = this.#terminal ? { output: process.stdout } : {};
    this.#readline = createInterface({ input: process.stdin, ...output, prompt });
    // The iterator is taken now: lines that come before the first read would be lost otherwise.
    this.#lines = this.#readline[Symbol.asyncIterator]();
  }

  /** Prints a text; the unfinished input stays at the prompt. */
  say(text: string): void {
    if (!this.#terminal || !this.#open) {
      process.stdout.write(`${text}\n`);
      return;
    }
    clearLine(process.stdout, 0);
    cursorTo(process.stdout, 0);
    process.stdout.write(`${text}\n`);
    this.#readline.prompt(true);
  }

  /** The next line; `null` at the end of the input. */
  async next(): Promise<string | null> {
    if (this.#terminal) this.#readline.prompt();
    const line = await this.#lines.next();
    return line.done === true ? null : line.value;
  }

  /** On a terminal readline reads Ctrl-C; otherwise it arrives as a signal. */
  onInterrupt(interrupted: () => void): void {
    this.#readline.on('SIGINT', interrupted);
    process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  }

  close(): void {
    this.#open = false;
    this.#readline.close();
  }
}
