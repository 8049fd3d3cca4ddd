import type { RecordLine } from '../../machines/record.ts';

/** Takes what a site did, in order. */
export interface Recorder {
  record(line: RecordLine): void;
  /** Returns once every line is where it belongs. */
  close(): void;
}

/** For a site that is not recorded. */
export const noRecorder: Recorder = { record: () => undefined, close: () => undefined };
