import type { SiteId } from '../../machines/actor.ts';
import type { EventLine, RecordLine, StartLine } from '../../machines/record.ts';
import type { RecordFile } from './read.ts';
import { type Refusal, type RefusalCode, Refused } from './refusal.ts';
import { parseLine } from './schema.ts';

/** The record of one site, read one line at a time; what can be judged by the file alone is judged here. */
export class SiteRecord {
  readonly file: string;
  readonly start: StartLine;
  /** The next event, `null` after the last. */
  head: EventLine | null = null;
  /** The line number of `head`. */
  line = 1;
  /** `seq` of the last event before `head`. */
  seq = 0;
  readonly #lines: Iterator<string>;

  constructor(file: RecordFile) {
    this.file = file.name;
    this.#lines = file.lines[Symbol.iterator]();
    const first = this.#read();
    if (first === null)
      this.refuse('REPLAY_MALFORMED', 'the file is empty: it has to begin with a start line');
    if (first.kind !== 'start') this.refuse('REPLAY_SEQUENCE', 'the file has to begin with a start line');
    this.start = first;
  }

  get site(): SiteId {
    return this.start.site;
  }

  /** Makes the following line the head. `mesh`: every site there is. */
  advance(mesh: readonly SiteId[]): void {
    if (this.head !== null) this.seq = this.head.seq;
    this.line++;
    const line = this.#read();
    this.head = line === null ? null : this.#check(line, mesh);
  }

  /** Stops reading. */
  close(): void {
    this.#lines.return?.();
  }

  refuse(code: RefusalCode, reason: string, more: Partial<Refusal> = {}): never {
    throw new Refused({ code, file: this.file, line: this.line, reason, ...more });
  }

  #read(): RecordLine | null {
    const next = this.#lines.next();
    if (next.done === true) return null;
    const line = parseLine(next.value);
    return typeof line === 'string' ? this.refuse('REPLAY_MALFORMED', line) : line;
  }

  #check(line: RecordLine, mesh: readonly SiteId[]): EventLine {
    if (line.kind !== 'event') this.refuse('REPLAY_SEQUENCE', 'a second start line: a file holds one run');
    const { site, lock, seq, clock, cause } = line;
    if (site !== this.site || lock !== this.start.lock) {
      const [came, expected] = [`${site} of lock ${lock}`, `${this.site} of lock ${this.start.lock}`];
      this.refuse('REPLAY_SEQUENCE', `an event of site ${came} in the record of site ${expected}`);
    }
    if (seq !== this.seq + 1) {
      this.refuse('REPLAY_SEQUENCE', `event ${this.seq + 1} of site ${site} should stand here, not ${seq}`);
    }
    if (clock[site] !== seq) {
      this.refuse('REPLAY_CLOCK', `its clock has ${clock[site] ?? 0} for its own site; its seq is ${seq}`);
    }
    const stranger = Object.keys(clock).find((id) => !mesh.includes(id));
    if (stranger !== undefined)
      this.refuse('REPLAY_CLOCK', `its clock names ${stranger}: no site of the mesh`);
    if (cause === null) return line;
    if (cause.site === site || !mesh.includes(cause.site)) {
      this.refuse('REPLAY_CAUSE', `its cause is at ${cause.site}: no other site of the mesh`);
    }
    if ((clock[cause.site] ?? 0) < cause.seq) {
      const knows = `its clock has ${clock[cause.site] ?? 0} for ${cause.site}`;
      this.refuse('REPLAY_CLOCK', `its cause is event ${cause.seq} of ${cause.site}, but ${knows}`);
    }
    return line;
  }
}
