/** When to give up campaigning, and how patiently to do it. */
export interface LeadOptions {
  /** Ends it as `close` does, with the signal's reason for the work under way. */
  readonly signal?: AbortSignal;
  /** How long after a term this site campaigns again, so that another may lead meanwhile. Default 1,000. */
  readonly retryMs?: number;
  /**
   * Told what work throws, and why the lock cannot be had (`TOO_MANY_LOCKS`); then this site campaigns again. Default:
   * the first such error ends it, and `close` rejects with it; without `close`, it is an unhandled rejection.
   */
  readonly onError?: (error: unknown) => void;
}

/** A site that leads whenever it holds a lock, and campaigns for it whenever it does not. */
export interface Leadership extends AsyncDisposable {
  readonly leading: boolean;
  /**
   * Leads and campaigns no more: the work under way sees its signal abort with `LEADERSHIP_CLOSED`. Resolves when that
   * work is over. Rejects with what work threw, where there is no `onError`.
   */
  close(): Promise<void>;
}
