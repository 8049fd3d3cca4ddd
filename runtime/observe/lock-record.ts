import type { Message, NamedAction, SiteId } from '../../machines/actor.ts';
import {
  eventsPerLife,
  type RecordedSnapshot,
  type RecordLine,
  type VectorClock,
} from '../../machines/record.ts';
import type { Stamp, StampedEnvelope } from '../api/peer.ts';
import type { Recorder } from './recorder.ts';
import { VectorTime } from './vector-time.ts';

/** Destination of the records of a site's locks. */
export interface LockRecordSetting {
  readonly site: SiteId;
  /** How many runs the site had before this one. */
  readonly life: number;
  /** The protocol's name in the record. */
  readonly machine: string;
  readonly recorder: Recorder;
  /** Viewers that watch a lock for a while. Their lines carry no vector clock. */
  readonly feed?: {
    wants(lock: string): boolean;
    record(line: RecordLine): void;
    /** The locks that a viewer watches. */
    readonly open: readonly string[];
  };
}

/** The actor that is recorded. */
export interface Recorded {
  readonly snapshot: RecordedSnapshot;
}

/**
 * Numbers the events of one lock's actor, and records them where a record is wanted: by the recorder, or a viewer of
 * the live feed.
 */
export class LockRecord {
  readonly #setting: LockRecordSetting;
  readonly #lock: string;
  /** `null`: there is no recorder. */
  readonly #time: VectorTime | null;
  #seq: number;
  #clock: VectorClock | null = null;

  constructor(setting: LockRecordSetting, lock: string) {
    const { site, life, recorder } = setting;
    this.#setting = setting;
    this.#lock = lock;
    this.#time = recorder.active ? new VectorTime(site, life) : null;
    this.#seq = life * eventsPerLife;
  }

  /** The number of the last event. */
  get seq(): number {
    return this.#seq;
  }

  /** The stamp of a message that is sent now. */
  get stamp(): Stamp {
    return { seq: this.#seq, clock: this.#clock };
  }

  start(input: unknown, peers: readonly SiteId[], { snapshot }: Recorded): void {
    const { site, life, machine, recorder } = this.#setting;
    const lock = this.#lock;
    recorder.record({ version: 1, kind: 'start', site, lock, life, machine, input, peers, snapshot });
  }

  /** The actor took `event`, which `envelope` brought, or the client or the clock. */
  event(
    event: Message,
    envelope: StampedEnvelope | null,
    effects: readonly NamedAction[],
    actor: Recorded,
  ): void {
    const { recorder, feed } = this.#setting;
    this.#seq += 1;
    if (this.#time) this.#clock = this.#time.tick(envelope?.stamp.clock ?? null);
    if (recorder.active && this.#clock)
      recorder.record(this.#line(event, envelope, effects, actor, this.#clock));
    if (feed?.wants(this.#lock)) feed.record(this.#line(event, envelope, effects, actor, {}));
  }

  /** The messages under way between this site and `peer` are lost. */
  linkRestarted(peer: SiteId): void {
    const { site, recorder, feed } = this.#setting;
    const line = { version: 1, kind: 'link', site, lock: this.#lock, peer } as const;
    if (recorder.active) recorder.record(line);
    if (feed?.wants(this.#lock)) feed.record(line);
  }

  #line(
    event: Message,
    envelope: StampedEnvelope | null,
    effects: readonly NamedAction[],
    { snapshot }: Recorded,
    clock: VectorClock,
  ): RecordLine {
    return {
      version: 1,
      kind: 'event',
      site: this.#setting.site,
      lock: this.#lock,
      seq: this.#seq,
      clock,
      cause: envelope && { site: envelope.source, seq: envelope.stamp.seq },
      event: { ...event },
      snapshot,
      effects,
    };
  }
}
