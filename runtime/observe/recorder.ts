import type { RecordLine } from '../../machines/record.ts';

/** Receives the steps of a site, in order. */
export interface Recorder {
  /** Whether lines are taken; where they are not, none need to be made. Never true again after it was false. */
  readonly active: boolean;
  record(line: RecordLine): void;
  /**
   * Returns once every line so far outlives this process. To be called before a peer or a client hears of what the lines say
   * (a message, a grant) and before the store syncs: then a crash leaves no gap in the record.
   */
  flush(): void;
  /** Returns once every line is where it belongs. */
  close(): void;
}

/** For a site that is not recorded. */
export const noRecorder: Recorder = {
  active: false,
  record: () => undefined,
  flush: () => undefined,
  close: () => undefined,
};
