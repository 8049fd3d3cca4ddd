import { LockReader } from '../../runtime/observe/lock-reader.ts';
import { membersAt } from '../../runtime/observe/members-client.ts';
import type { LockTable, SiteMembers } from '../protocol.ts';
import { SeenLocks } from './seen-locks.ts';

/** Pages that ask within this time for the same locks are given the same answer. */
const freshMs = 500;
/** Members change seldom, and each question takes a connection. */
const membersFreshMs = 3_000;

/** The locks and the members of a running cluster, read for all pages at once. */
export class LockBoard {
  readonly #urls: readonly string[];
  readonly #reader: LockReader;
  readonly #seen = new SeenLocks();
  #last: { readonly like: string; readonly at: number; readonly reports: Promise<LockTable> } | null = null;
  #members: { readonly at: number; readonly sites: Promise<readonly SiteMembers[]> } | null = null;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
    this.#reader = new LockReader(urls);
  }

  /** One question at a time: a site answers the last. */
  read(like: string): Promise<LockTable> {
    const last = this.#last;
    if (last !== null && last.like === like && performance.now() - last.at < freshMs) return last.reports;
    const read = async (): Promise<LockTable> => {
      const reports = await this.#reader.read({ like });
      return { ...reports, lastSeen: this.#seen.after(reports, like, performance.now()) };
    };
    const reports = last === null ? read() : last.reports.then(read, read);
    this.#last = { like, at: performance.now(), reports };
    return reports;
  }

  /** The members as each site knows them. */
  members(): Promise<readonly SiteMembers[]> {
    const last = this.#members;
    if (last !== null && performance.now() - last.at < membersFreshMs) return last.sites;
    const sites = Promise.all(
      this.#urls.map(async (address): Promise<SiteMembers> => {
        const told = await membersAt(address);
        const url = address.replace(/\?.*$/, '');
        return typeof told === 'string' ? { url, reason: told } : { url, membership: told };
      }),
    );
    this.#members = { at: performance.now(), sites };
    return sites;
  }

  close(): void {
    this.#reader.close();
  }
}
