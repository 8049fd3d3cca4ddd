import type { SiteId } from '../../machines/actor.ts';
import type { RecordedSnapshot, RecordLine } from '../../machines/record.ts';
import type { SiteLock, WatchAsk, WatchedCandidacy, WatchTold, WindowEnd } from '../../machines/watch.ts';
import type { Clock } from '../api/clock.ts';
import type { Viewer, WatchSession } from '../api/watch.ts';

/** The site that a feed watches. */
export interface WatchedSite {
  readonly site: SiteId;
  readonly machine: string;
  readonly peers: readonly SiteId[];
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How many locks there are. */
  count(): number;
  /** At most `most` names of locks that contain `like`, the ones in use first. `more`: there may be others. */
  names(like: string, most: number): { readonly some: readonly string[]; readonly more: boolean };
  /** The state of a lock that `names` has told of. */
  row(lock: string): SiteLock;
  /** How the actor of a lock is; `null` where there is none. */
  peek(lock: string): { readonly seq: number; readonly snapshot: RecordedSnapshot } | null;
  /** The last candidacy of the site for a lock; `null` where none is known. */
  stood(lock: string): WatchedCandidacy | null;
}

/** Maximum number of events that a viewer is sent in a second. A window counts as one. */
const mostEvents = 2_000;
const mostMs = 10_000;
/** A viewer for which more waits is told nothing. */
export const mostWaitingBytes = 1 << 20;
const tellEveryMs = 50;
const mostNames = 100;
/** Maximum number of rows of one table: some 100 KiB. */
const mostRows = 500;
const findEveryMs = 200;
const tellAtOnceBytes = 64 * 1024;

/**
 * Lets others watch a site while it runs. Without viewers, and between the windows of its viewers, it wants no line.
 * It never waits for a viewer, and keeps little for one that is slow.
 */
export class LiveFeed {
  readonly #site: WatchedSite;
  #sessions: readonly LiveSession[] = [];
  #isClosed = false;

  constructor(site: WatchedSite) {
    this.#site = site;
  }

  /** Reports whether a window is open on this lock. Called at every event. */
  wants(lock: string): boolean {
    for (let index = 0; index < this.#sessions.length; index++)
      if (this.#sessions[index]!.open === lock) return true;
    return false;
  }

  /** The locks on which one is. */
  get open(): readonly string[] {
    return [...new Set(this.#sessions.flatMap(({ open }) => open ?? []))];
  }

  record(line: RecordLine): void {
    for (const session of this.#sessions) if (session.open === line.lock) session.record(line);
  }

  /** `viewer` watches until the session or the site is closed. */
  attach(viewer: Viewer): LiveSession {
    const session = new LiveSession(this.#site, viewer, () => {
      this.#sessions = this.#sessions.filter((other) => other !== session);
    });
    this.#sessions = [...this.#sessions, session];
    if (this.#isClosed) session.endWithSite();
    else session.introduce();
    return session;
  }

  /** The site is closed: viewers are told so, also those that attach later. */
  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions) session.endWithSite();
  }
}

/** One viewer's window, and the part of it that was not sent yet. */
export class LiveSession implements WatchSession {
  readonly #site: WatchedSite;
  readonly #viewer: Viewer;
  readonly #closed: () => void;
  #isClosed = false;
  /** The lock, while a window is open on it. */
  open: string | null = null;
  #lock: string | null = null;
  #left = 0;
  #lines: string[] = [];
  #bytes = 0;
  /** When the present second began, and how much was sent in it. */
  #since = Number.NEGATIVE_INFINITY;
  #told = 0;
  #cancelTell: (() => void) | null = null;
  #cancelEnd: (() => void) | null = null;
  /** The next searches, by the kind of answer; and the time of the last one. */
  readonly #sought = new Map<'find' | 'table', string>();
  #cancelFind: (() => void) | null = null;
  #found = Number.NEGATIVE_INFINITY;

  constructor(site: WatchedSite, viewer: Viewer, closed: () => void) {
    this.#site = site;
    this.#viewer = viewer;
    this.#closed = closed;
  }

  ask(asked: WatchAsk): void {
    // A closed site has nothing more to tell.
    if (this.#isClosed) return;
    if (asked.type === 'watch') {
      if (asked.lock !== this.#lock) this.#end('full');
      this.#lock = asked.lock;
    } else if (asked.type === 'find' || asked.type === 'table') {
      this.#sought.set(asked.type, asked.like);
      this.#findInTime();
    } else this.#begin(asked.events, Math.min(asked.ms, mostMs));
  }

  record(line: RecordLine): void {
    const text = JSON.stringify([this.#site.now(), line]);
    this.#lines.push(text);
    this.#bytes += text.length;
    this.#told++;
    this.#left--;
    if (this.#bytes > tellAtOnceBytes && !this.#tell()) this.#end('slow');
    else if (this.#left <= 0) this.#end('full');
    else this.#tellInTime();
  }

  close(): void {
    this.#isClosed = true;
    this.#end('closed');
    this.#cancelFind?.();
    this.#lock = null;
    this.#closed();
  }

  endWithSite(): void {
    this.close();
    this.#viewer.closed?.();
  }

  #toldThisSecond(): number {
    const now = this.#site.clock.now();
    if (now - this.#since >= 1_000) {
      this.#since = now;
      this.#told = 0;
    }
    return this.#told;
  }

  introduce(): void {
    const { site, machine, peers } = this.#site;
    const { some } = this.#site.names('', mostNames);
    this.#send({ type: 'site', version: 1, site, machine, peers, locks: some, count: this.#site.count() });
  }

  /** There may be very many names to look at. */
  #findInTime(): void {
    const { clock } = this.#site;
    this.#cancelFind ??= clock.after(Math.max(0, this.#found + findEveryMs - clock.now()), () => {
      this.#cancelFind = null;
      this.#found = clock.now();
      for (const [kind, like] of this.#sought) this.#tellFound(kind, like);
      this.#sought.clear();
    });
  }

  #tellFound(kind: 'find' | 'table', like: string): void {
    if (this.#viewer.waiting > mostWaitingBytes) return;
    if (kind === 'find') {
      const { some: locks, more } = this.#site.names(like, mostNames);
      this.#send({ type: 'found', like, locks, more });
    } else {
      const { some, more } = this.#site.names(like, mostRows);
      this.#send({ type: 'table', like, locks: some.map((lock) => this.#site.row(lock)), more });
    }
  }

  #begin(events: number, ms: number): void {
    const lock = this.#lock;
    // A viewer that is too slow loses windows.
    if (this.#viewer.waiting > mostWaitingBytes) return;
    if (lock === null) {
      this.introduce();
      return;
    }
    const allowed = Math.min(events, mostEvents - this.#toldThisSecond());
    if (allowed <= 0) return;
    if (this.open === null) {
      this.#told++;
      const { now } = this.#site;
      const known = this.#site.peek(lock);
      const row = known === null ? null : this.#site.row(lock);
      const sinceMs = row?.held?.heldMs ?? row?.waitedMs[0] ?? null;
      const stood = this.#site.stood(lock) ?? undefined;
      this.#send({ type: 'window', lock, at: now(), now: known, sinceMs, stood });
    }
    this.open = lock;
    this.#left = allowed;
    this.#cancelEnd?.();
    this.#cancelEnd = this.#site.clock.after(ms, () => this.#end('full'));
  }

  #end(why: WindowEnd): void {
    if (this.open === null) return;
    this.open = null;
    this.#stopTimers();
    const isTold = this.#tell();
    this.#send({ type: 'end', at: this.#site.now(), why: isTold ? why : 'slow' });
  }

  /** False when the viewer is too slow: then the lines are dropped. */
  #tell(): boolean {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    if (lines.length === 0) return true;
    if (this.#viewer.waiting > mostWaitingBytes) return false;
    this.#viewer.send(`{"type":"lines","lines":[${lines.join()}]}`);
    return true;
  }

  #tellInTime(): void {
    this.#cancelTell ??= this.#site.clock.after(tellEveryMs, () => {
      this.#cancelTell = null;
      if (!this.#tell()) this.#end('slow');
    });
  }

  #stopTimers(): void {
    this.#cancelTell?.();
    this.#cancelEnd?.();
    this.#cancelTell = this.#cancelEnd = null;
  }

  #send(told: WatchTold): void {
    this.#viewer.send(JSON.stringify(told));
  }
}
