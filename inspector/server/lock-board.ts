import { LockReader } from '../../runtime/observe/lock-reader.ts';
import type { LockReports } from '../protocol.ts';

/** Pages that ask within this time for the same locks are given the same answer. */
const freshMs = 500;

/** The locks of a running cluster, read for all pages by one connection to each site. */
export class LockBoard {
  readonly #reader: LockReader;
  #last: { readonly like: string; readonly at: number; readonly reports: Promise<LockReports> } | null = null;

  constructor(urls: readonly string[]) {
    this.#reader = new LockReader(urls);
  }

  /** One question at a time: a site answers the last. */
  read(like: string): Promise<LockReports> {
    const last = this.#last;
    if (last !== null && last.like === like && performance.now() - last.at < freshMs) return last.reports;
    const read = () => this.#reader.read({ like });
    const reports = last === null ? read() : last.reports.then(read, read);
    this.#last = { like, at: performance.now(), reports };
    return reports;
  }

  close(): void {
    this.#reader.close();
  }
}
