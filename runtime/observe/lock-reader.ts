import type { WebSocket } from 'ws';
import * as z from 'zod';
import { reasonOf } from '../../machines/errors.ts';
import { longestName, type SiteLock, type WatchAsk } from '../../machines/watch.ts';
import { systemClock } from '../api/clock.ts';
import type { LockReports, ReadLocksOptions } from '../api/lock-report.ts';
import { checkReadLocks, checkWatchUrls } from '../options/calls.ts';
import { reportsOf, type SiteTable } from './lock-table.ts';

const whole = z.int().min(0);
const ms = z.number().min(0);
const site = z.string().min(1).max(64);
const row: z.ZodType<SiteLock> = z.strictObject({
  lock: z
    .string()
    .min(1)
    .max(2 * longestName),
  epoch: whole,
  frozen: z.boolean(),
  token: z.boolean(),
  line: z.array(site),
  held: z
    .strictObject({ fence: z.strictObject({ generation: whole, epoch: whole, k: whole }), heldMs: ms })
    .nullable(),
  waitedMs: z.array(ms),
  waiting: whole,
  changedMs: ms,
});
const told = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('site'), version: z.literal(1), site }),
  z.strictObject({ type: z.literal('table'), like: z.string(), locks: z.array(row), more: z.boolean() }),
]);

const mostFrameBytes = 16 << 20;
const defaultMs = 2_000;

/** Reads the locks of a cluster through the watch ports of its sites, again and again over the same connections. */
export class LockReader {
  readonly #sites: readonly WatchedSite[];

  /** Throws `OPTIONS_INVALID`. `urls`: of `serveWatch`, with `?token=...` where one is needed. */
  constructor(urls: readonly string[]) {
    checkWatchUrls(urls);
    this.#sites = urls.map((url) => new WatchedSite(url));
  }

  /** Rejects with `OPTIONS_INVALID` only: a site that does not answer is named in `silent`. */
  async read(options: ReadLocksOptions = {}): Promise<LockReports> {
    checkReadLocks(options);
    const { like = '', timeoutMs = defaultMs } = options;
    const answers = await Promise.all(this.#sites.map((one) => one.ask(like, timeoutMs)));
    const tables = answers.filter((answer) => 'locks' in answer);
    return {
      locks: reportsOf(tables),
      more: tables.some(({ more }) => more),
      sites: tables.map((table) => table.site),
      silent: answers.filter((answer) => 'reason' in answer),
    };
  }

  close(): void {
    for (const one of this.#sites) one.close();
  }
}

/**
 * The locks of a whole cluster: the holder of each and since when, and the waiting sites and for how long. The watch
 * port of each site is asked (`serveWatch`); no message of the protocol is sent.
 *
 * Rejects with `OPTIONS_INVALID` only: a site that does not answer is named in `silent`.
 */
export async function readLocks(urls: readonly string[], options?: ReadLocksOptions): Promise<LockReports> {
  const reader = new LockReader(urls);
  try {
    return await reader.read(options);
  } finally {
    reader.close();
  }
}

interface Table extends SiteTable {
  readonly more: boolean;
}

interface Silence {
  readonly url: string;
  readonly reason: string;
}

class WatchedSite {
  readonly #url: string;
  #socket: WebSocket | null = null;
  #site: string | null = null;
  #settle: ((answer: Table | string) => void) | null = null;
  #like = '';

  constructor(url: string) {
    this.#url = url;
  }

  async ask(like: string, timeoutMs: number): Promise<Table | Silence> {
    // Most services never ask.
    const { WebSocket } = await import('ws');
    this.#settle?.('asked for another table meanwhile');
    this.#like = like;
    const answer = await new Promise<Table | string>((resolve) => {
      const stopTimer = systemClock.after(timeoutMs, () => {
        this.close();
        settle(`no answer within ${timeoutMs} ms`);
      });
      const settle = (what: Table | string) => {
        if (this.#settle !== settle) return;
        this.#settle = null;
        stopTimer();
        resolve(what);
      };
      this.#settle = settle;
      if (this.#socket === null) this.#dial(WebSocket);
      else if (this.#site !== null) this.#request();
    });
    return typeof answer === 'string' ? { url: this.#url.replace(/\?.*$/, ''), reason: answer } : answer;
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = this.#site = null;
    socket?.terminate();
  }

  #dial(Socket: typeof WebSocket): void {
    const socket = new Socket(this.#url, { maxPayload: mostFrameBytes });
    this.#socket = socket;
    socket.on('message', (data) => this.#hear(data.toString()));
    socket.on('error', (error) => this.#fail(socket, reasonOf(error)));
    socket.on('close', (code, reason) => this.#fail(socket, closeText(code, reason)));
  }

  #request(): void {
    this.#socket?.send(JSON.stringify({ type: 'table', like: this.#like } satisfies WatchAsk));
  }

  #hear(frame: string): void {
    const heard = parsed(frame);
    if (typeof heard === 'string') {
      this.#settle?.(`answers something else than a site does: ${heard}`);
      this.close();
    } else if (heard.type === 'site') {
      this.#site = heard.site;
      if (this.#settle) this.#request();
    } else if (heard.like === this.#like && this.#site !== null) {
      this.#settle?.({ site: this.#site, locks: heard.locks, more: heard.more });
    }
  }

  #fail(socket: WebSocket, reason: string): void {
    if (this.#socket !== socket) return;
    this.close();
    this.#settle?.(reason);
  }
}

/** `the site is closed (1001)`: the end of a connection to a watch port. */
export function closeText(code: number, reason: Buffer): string {
  return `${reason.toString() || 'the site closed the connection'} (${code})`;
}

function parsed(frame: string): z.infer<typeof told> | string {
  let json: unknown;
  try {
    json = JSON.parse(frame);
  } catch {
    return 'expected JSON';
  }
  const result = told.safeParse(json);
  return result.success ? result.data : z.prettifyError(result.error);
}
