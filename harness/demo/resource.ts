import { appendFileSync, closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const ledgerOf = (directory: string) => join(directory, 'ledger');
export const counterOf = (directory: string) => join(directory, 'counter');

/** Creates two files that only the lock protects. */
export function createResource(directory: string): void {
  writeFileSync(ledgerOf(directory), '');
  writeFileSync(counterOf(directory), '0');
}

/** How long a critical section works: long enough for the requests of all others to arrive meanwhile. */
const workMs = 1;

/**
 * One critical section: a line in the ledger on the way in and one on the way out, and in between a counter
 * read, and written back a while later. A second site inside loses a count, or tears a line
 * pair apart.
 */
export async function useResource(directory: string, site: string, section: number): Promise<void> {
  appendFileSync(ledgerOf(directory), `enter ${site} ${section}\n`);
  const count = Number(readFileSync(counterOf(directory), 'utf8'));
  await sleep(workMs);
  writeOver(counterOf(directory), String(count + 1));
  appendFileSync(ledgerOf(directory), `leave ${site} ${section}\n`);
}

// Not writeFileSync: to truncate a file and write it again makes some file systems wait for the disk.
function writeOver(path: string, text: string): void {
  const file = openSync(path, 'r+');
  try {
    // Blanks cover the longer text that another site may have written meanwhile.
    writeSync(file, text.padEnd(16), 0);
  } finally {
    closeSync(file);
  }
}
