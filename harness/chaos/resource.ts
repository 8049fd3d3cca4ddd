import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { FenceGate } from '../../runtime/index.ts';
import type { LedgerLine, Write } from '../../verification/runs/histories/history.ts';
import type { WriteRequest } from './messages.ts';
import { now } from './now.ts';

/**
 * The resource that the lock protects: a counter, and a ledger of the accepted writes, one line of JSON each.
 * `enter` reads the counter and `leave` writes back the client's result, so two overlapping critical sections
 * lose a count.
 */
export class Resource {
  readonly #path: string;
  /** Null: every write is accepted. */
  readonly #gate: FenceGate | null;
  #counter = 0;

  constructor(path: string, fenced: boolean) {
    this.#path = path;
    this.#gate = fenced ? new FenceGate() : null;
    writeFileSync(path, '');
  }

  write({ site, section, fence, step, value }: WriteRequest): Write {
    const accepted = this.#gate?.accept('main', fence) ?? true;
    if (accepted) {
      if (step === 'leave') this.#counter = value;
      const line: LedgerLine = { section, step, value: this.#counter };
      appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
    }
    return { type: 'write', at: now(), site, section, fence, step, accepted, value: this.#counter };
  }

  ledger(): LedgerLine[] {
    const lines = readFileSync(this.#path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as LedgerLine);
  }
}
