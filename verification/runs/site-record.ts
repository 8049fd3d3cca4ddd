import type { SiteId } from '../../machines/actor.ts';
import {
  type EventLine,
  eventsPerLife,
  type LinkLine,
  type RecordLine,
  type StartLine,
} from '../../machines/record.ts';
import { type Nonconformance, type RefusalCode, Refused } from './nonconformance.ts';
import { parseLine } from './schema.ts';
import type { LockFile, NumberedLine } from './split.ts';

/**
 * The record of one lock in one run of a site, read one line at a time. Rules that need this file alone are
 * judged here.
 */
export class SiteRecord {
  readonly file: string;
  readonly start: StartLine;
  /** The next line, `null` after the last. */
  head: EventLine | LinkLine | null = null;
  /** The line number of `head`. */
  line: number;
  /** `seq` of the last event before `head`. */
  seq: number;
  /**
   * From this event on, nothing of this incarnation was known to any other site, and its site has forgotten it since: it is no
   * part of the record.
   */
  forgottenFrom = Number.POSITIVE_INFINITY;
  readonly #source: LockFile;
  readonly #lines: Iterator<NumberedLine>;

  constructor(source: LockFile) {
    this.file = source.name;
    this.#source = source;
    this.#lines = source.lines[Symbol.iterator]();
    const first = this.#lines.next().value as NumberedLine;
    this.line = first.number;
    const start = this.#parse(first.text);
    if (start.kind !== 'start') this.refuse('REPLAY_SEQUENCE', 'a lock has to begin with a start line');
    this.start = start;
    this.seq = this.life * eventsPerLife;
  }

  /** The number of its lines. */
  get count(): number {
    return this.#source.count;
  }

  get site(): SiteId {
    return this.start.site;
  }

  get life(): number {
    return this.start.life ?? 0;
  }

  /** Makes the following line the head. `mesh`: every site there is. */
  advance(mesh: readonly SiteId[]): void {
    do {
      if (this.head?.kind === 'event') this.seq = this.head.seq;
      const line = this.#read();
      this.head = line === null ? null : this.#check(line, mesh);
    } while (this.head !== null && this.#isForgotten);
  }

  /** Whether the head is; a link line after such an event too. */
  get #isForgotten(): boolean {
    return this.seq + (this.head?.kind === 'event' ? 1 : 0) >= this.forgottenFrom;
  }

  /** All events of this life, read apart from where the replay is; up to a line that is malformed. */
  *events(): Generator<EventLine, void, undefined> {
    for (const { text } of this.#source.lines) {
      const line = parseLine(text);
      if (typeof line === 'string') return;
      if (line.kind === 'event') yield line;
    }
  }

  /** Stops reading. */
  close(): void {
    this.#lines.return?.();
  }

  refuse(code: RefusalCode, reason: string, more: Partial<Nonconformance> = {}): never {
    throw new Refused({ code, file: this.file, line: this.line, reason, ...more });
  }

  #read(): RecordLine | null {
    const next = this.#lines.next();
    if (next.done === true) {
      this.line += 1;
      return null;
    }
    this.line = next.value.number;
    return this.#parse(next.value.text);
  }

  #parse(text: string): RecordLine {
    const line = parseLine(text);
    return typeof line === 'string' ? this.refuse('REPLAY_MALFORMED', line) : line;
  }

  #check(line: RecordLine, mesh: readonly SiteId[]): EventLine | LinkLine {
    if (line.kind === 'start')
      this.refuse('REPLAY_SEQUENCE', 'a second start line: a file holds one life of each lock');
    const { site, lock } = line;
    if (site !== this.site || lock !== this.start.lock) {
      const [came, expected] = [`${site} of lock ${lock}`, `${this.site} of lock ${this.start.lock}`];
      this.refuse('REPLAY_SEQUENCE', `an event of site ${came} in the record of site ${expected}`);
    }
    if (line.kind === 'event') this.#checkEvent(line, mesh);
    else if (line.peer === site || !mesh.includes(line.peer)) {
      this.refuse('REPLAY_MESH', `a link to ${line.peer}: no other site of the mesh`);
    }
    return line;
  }

  #checkEvent({ site, seq, clock, cause }: EventLine, mesh: readonly SiteId[]): void {
    if (seq !== this.seq + 1) {
      this.refuse('REPLAY_SEQUENCE', `event ${this.seq + 1} of site ${site} should stand here, not ${seq}`);
    }
    if (clock[site] !== seq) {
      this.refuse('REPLAY_CLOCK', `its clock has ${clock[site] ?? 0} for its own site; its seq is ${seq}`);
    }
    const stranger = Object.keys(clock).find((id) => !mesh.includes(id));
    if (stranger !== undefined)
      this.refuse('REPLAY_CLOCK', `its clock names ${stranger}: no site of the mesh`);
    if (cause === null) return;
    if (cause.site === site || !mesh.includes(cause.site)) {
      this.refuse('REPLAY_CAUSE', `its cause is at ${cause.site}: no other site of the mesh`);
    }
    if ((clock[cause.site] ?? 0) < cause.seq) {
      const knows = `its clock has ${clock[cause.site] ?? 0} for ${cause.site}`;
      this.refuse('REPLAY_CLOCK', `its cause is event ${cause.seq} of ${cause.site}, but ${knows}`);
    }
  }
}
