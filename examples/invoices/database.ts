import type { Fence } from 'batonlock';
import sqlite from 'node-sqlite3-wasm';

/** A later critical section has begun. Values read before are outdated and must not be written. */
export class LateWriteError extends Error {
  readonly code = 'LATE_WRITE';
}

const schema = `
CREATE TABLE IF NOT EXISTS fences (
  lock TEXT PRIMARY KEY, generation BIGINT NOT NULL, epoch BIGINT NOT NULL, k BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS invoices (number INTEGER NOT NULL, customer TEXT NOT NULL, site TEXT NOT NULL);
`;

// docs/fencing.md. One row: accepted.
const gate = `
INSERT INTO fences (lock, generation, epoch, k) VALUES (?, ?, ?, ?)
ON CONFLICT (lock) DO UPDATE SET generation = excluded.generation, epoch = excluded.epoch, k = excluded.k
WHERE (excluded.generation, excluded.epoch, excluded.k) >= (fences.generation, fences.epoch, fences.k)
RETURNING lock`;

/**
 * Invoices in a file that several processes share. Only the fence keeps two invoices from having one number.
 * There is no `UNIQUE`, so that the effect of the fence can be seen.
 */
export class Invoices {
  readonly #database: InstanceType<typeof sqlite.Database>;
  readonly #fenced: boolean;

  constructor(file: string, { fenced }: { readonly fenced: boolean }) {
    this.#database = new sqlite.Database(file);
    this.#database.exec('PRAGMA busy_timeout = 5000');
    this.#database.exec(schema);
    this.#fenced = fenced;
  }

  /** The first operation of a critical section. It closes the gate to all earlier ones, then reads. */
  nextNumber(fence: Fence): number {
    return this.#fencedTransaction(fence, () => {
      const row = this.#database.get('SELECT max(number) AS highest FROM invoices');
      return Number(row?.['highest'] ?? 0) + 1;
    });
  }

  /** Throws `LateWriteError`. */
  add(fence: Fence, number: number, customer: string, site: string): void {
    this.#fencedTransaction(fence, () =>
      this.#database.run('INSERT INTO invoices VALUES (?, ?, ?)', [number, customer, site]),
    );
  }

  /** The number of invoices, the number of different invoice numbers, and the highest number. */
  totals(): { readonly invoices: number; readonly numbers: number; readonly highest: number } {
    const row = this.#database.get(
      'SELECT count(*) AS invoices, count(DISTINCT number) AS numbers, max(number) AS highest FROM invoices',
    )!;
    return {
      invoices: Number(row['invoices']),
      numbers: Number(row['numbers']),
      highest: Number(row['highest']),
    };
  }

  close(): void {
    this.#database.close();
  }

  #fencedTransaction<T>({ generation, epoch, k }: Fence, work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      if (this.#fenced && this.#database.get(gate, ['invoices', generation, epoch, k]) === null)
        throw new LateWriteError(`a critical section after (${epoch}, ${k}) has begun`);
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
