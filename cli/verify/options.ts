import type { Network } from '../../verification/system/system.ts';

/** The options of `baton verify`; absent ones were not given. */
export interface VerifyOptions {
  readonly sites?: number;
  readonly network?: Network['order'];
  readonly maxStates?: number;
  /** Seconds. */
  readonly timeout?: number;
  readonly json?: string;
  /** How traces are printed. */
  readonly trace: 'text' | 'json' | 'mermaid' | 'shiviz';
  /** A file of traces to take again. */
  readonly replay?: string;
  readonly coverage?: boolean;
  readonly junit?: string;
}
