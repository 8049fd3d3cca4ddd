/** What there is to know of an idle lock, as its effects have told. */
export interface Idle {
  readonly promised: number;
  readonly epoch: number;
  /** Since the restart of this site, until it promises or adopts an epoch. */
  readonly closed: boolean;
  /** Deaths up to this number had no part in the present epoch. */
  readonly covered: number;
}

/** A lock with which something happens: the client waits, it is frozen, or something of it is lost. */
export interface Watched {
  readonly lock: string;
  promised: number;
  epoch: number;
  closed: boolean;
  covered: number;
  /** The client has asked, and was not granted. */
  waits: boolean;
  /** How many deaths were known when `promised` was. */
  promisedAt: number;
  /** The latest epoch of which something was lost with another site's life. */
  lostOf: number;
  /** For which epoch this site stood last. */
  stoodFor: number;
  /** Elections that this site began since it adopted the present epoch. */
  attempts: number;
  /** Suspicions out of `patience` in this wait. */
  patience: number;
  /** No majority has room for it. */
  inVain: boolean;
  /** Has been suspected since no majority is in reach. */
  warned: boolean;
  /** What `due` was drawn for. */
  cause: string | null;
  due: number | null;
}

/** When a lock is let go idle, and what is kept of it then; `null`: it is as at the beginning. */
export interface Resting {
  readonly mayRest: (watched: Watched) => boolean;
  readonly keep: (watched: Watched) => Idle | null;
  /** While there are so few, they stay: a lock that is used again and again is not woken each time. */
  readonly few: number;
}

/** Whatever is forgotten is as `wake` makes it, or will never be read. */
export const resting: Resting = {
  mayRest: ({ waits, promised, epoch, closed, stoodFor, attempts, warned, cause, lostOf }) =>
    // Who stands may have been put off by a promise, and stand later.
    !(waits || warned) &&
    cause === null &&
    attempts === 0 &&
    stoodFor <= promised &&
    (closed || (promised === epoch && lostOf < epoch)),
  keep: ({ promised, epoch, closed, covered }) =>
    promised === 0 && epoch === 0 && !closed && covered === 0 ? null : { promised, epoch, closed, covered },
  few: 1_024,
};

export function wake(lock: string, idle: Idle | undefined): Watched {
  return {
    lock,
    promised: idle?.promised ?? 0,
    epoch: idle?.epoch ?? 0,
    closed: idle?.closed ?? false,
    covered: idle?.covered ?? 0,
    waits: false,
    // Read only when an epoch is adopted that was promised before: by a life before, then.
    promisedAt: 0,
    lostOf: -1,
    stoodFor: 0,
    attempts: 0,
    patience: 0,
    inVain: false,
    warned: false,
    cause: null,
    due: null,
  };
}
