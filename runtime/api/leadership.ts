/** Options of `Cluster.lead`. */
export interface LeadOptions {
  /** Ends the leadership like `close`. The signal's reason goes to the work under way. */
  readonly signal?: AbortSignal;
  /**
   * Pause in ms after a term before this site campaigns again, so that another site may lead meanwhile.
   * Default: 1,000.
   */
  readonly retryMs?: number;
  /**
   * End the term when no majority of the voters has been in reach for `timing.failureTimeoutMs`, since another site may lead by then.
   * Default: true.
   */
  readonly abortInMinority?: boolean;
  /**
   * Called with an error that `work` throws, and with the reason why the lock cannot be acquired
   * (`TOO_MANY_LOCKS`). Afterwards this site campaigns again. Default: the first such error ends the
   * leadership, and `close` rejects with it; without `close` it is an unhandled rejection.
   */
  readonly onError?: (error: unknown) => void;
}

/** A site that leads whenever it holds a lock, and campaigns for it whenever it does not. */
export interface Leadership extends AsyncDisposable {
  readonly leading: boolean;
  /**
   * Ends the leadership: the signal of the work under way aborts with `LEADERSHIP_CLOSED`. Resolves when that
   * work is over. Rejects with an error of the work if there is no `onError`.
   */
  close(): Promise<void>;
}
