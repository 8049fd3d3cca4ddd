import { defaultTiming } from '../../runtime/options/schema.ts';
import { of } from '../../verification/runs/histories/rules.ts';
import { SitePool } from './processes.ts';
import { type ChaosRun, orAborted, runChaos } from './run.ts';
import { calm, killedHolder, minoritySchedule, resetsSchedule, stoppedHolder } from './scenarios.ts';
import type { Schedule } from './schedule.ts';

/** One scenario at its full length, with the default settings. */
export interface Row {
  readonly scenario: string;
  readonly measured: string;
  readonly wanted: string;
  readonly held: boolean;
}

export interface Lengths {
  readonly kills: number;
  readonly stopMs: number;
  readonly splitMs: number;
  readonly resetsSeconds: number;
  readonly calmSeconds: number;
}

export const fullLengths: Lengths = {
  kills: 21,
  stopMs: 10_000,
  splitMs: 10_000,
  resetsSeconds: 60,
  calmSeconds: 10,
};

/** Every scenario, one after the other; `of` is how many there are. Rejects with a `ChaosError`, or the signal's reason. */
export async function runDirected(
  lengths: Lengths,
  signal: AbortSignal,
  onRow: (row: Row, of: number) => void,
) {
  const pool = new SitePool();
  const run = (schedule: Schedule) => runChaos({ schedule, pool, signal, timing: defaultTiming });
  try {
    const scenarios = [
      () => killed(pool, lengths.kills, 'kernel', 100),
      () => killed(pool, lengths.kills, 'nobody', 2_000),
      () => stopped(pool, lengths.stopMs),
      async () => minority(lengths.splitMs, await run(minoritySchedule(lengths.splitMs))),
      async () => resets(lengths.resetsSeconds, await run(resetsSchedule(lengths.resetsSeconds, 100))),
      async () => nothing(await run(calm(lengths.calmSeconds))),
    ];
    for (const scenario of scenarios) {
      signal.throwIfAborted();
      onRow(await orAborted(signal, scenario()), scenarios.length);
    }
  } finally {
    await pool.end();
  }
}

async function killed(
  pool: SitePool,
  rounds: number,
  answers: 'kernel' | 'nobody',
  boundMs: number,
): Promise<Row> {
  const { times, robbed, fencesRose, judgement } = await killedHolder(rounds, answers, { pool });
  const sorted = times.toSorted((one, other) => one - other);
  const median = sorted[sorted.length >> 1]!;
  return {
    scenario: `kill -9 of the holder, ${answers === 'kernel' ? 'its kernel answers' : 'nobody answers'}, ${rounds} times`,
    measured: `the next has the lock after ${ms(median)} (median; ${ms(sorted[0]!)} to ${ms(sorted.at(-1)!)})${robbed > 0 ? `; ${robbed} times a live holder lost it before` : ''}`,
    wanted: `median below ${boundMs} ms, each time a higher fence`,
    held: judgement.held && fencesRose && median < boundMs,
  };
}

async function stopped(pool: SitePool, stopMs: number): Promise<Row> {
  const { refused, nextHadItMs, knewMs, servedAgainMs, judgement } = await stoppedHolder(stopMs, { pool });
  return {
    scenario: `SIGSTOP of the holder for ${stopMs / 1000} s`,
    measured:
      `the next has the lock after ${ms(nextHadItMs)}; ${refused} write refused, it knew after ` +
      `${knewMs === null ? 'never' : ms(knewMs)}, served again after ${ms(servedAgainMs)}`,
    wanted: 'its write is refused, it learns of its loss, is served again',
    held: judgement.held && refused === 1 && knewMs !== null,
  };
}

function minority(splitMs: number, { judgement, evidence }: ChaosRun): Row {
  const [split] = of(evidence.history, 'split');
  const during = of(evidence.history, 'grant').filter(
    ({ at }) => at > split!.at + evidence.detectMs && at < split!.until,
  );
  const inside = during.filter(({ site }) => split!.minority.includes(site)).length;
  return {
    scenario: `a minority cut off for ${splitMs / 1000} s`,
    measured: `${inside} grants there, ${during.length - inside} in the majority; then all served within ${ms(judgement.figures.longestWaitAfterMs ?? 0)}`,
    wanted: 'none there, the majority goes on, all are served after it',
    held: judgement.held && inside === 0 && during.length > 0,
  };
}

function resets(seconds: number, { judgement }: ChaosRun): Row {
  const { grants, lost, refused, highestFence } = judgement.figures;
  return {
    scenario: `every connection reset every 100 ms for ${seconds} s`,
    measured: `${grants} grants, ${lost} lost, ${refused} writes refused, epoch ${highestFence?.epoch}`,
    wanted: 'none lost, no change of epoch',
    held: judgement.held && lost === 0 && refused === 0 && highestFence?.epoch === 0,
  };
}

function nothing({ judgement, sent, suspicions }: ChaosRun): Row {
  const { REQUEST = 0, TOKEN = 0, ...others } = sent;
  const { grants } = judgement.figures;
  const each = ((REQUEST + TOKEN) / grants).toFixed(2);
  return {
    scenario: 'nothing fails',
    measured: `${grants} grants, ${each} messages each, of other kinds ${sum(others)}, ${suspicions} suspicions`,
    wanted: 'REQUEST and TOKEN, nothing else',
    held: judgement.held && sum(others) === 0 && suspicions === 0,
  };
}

const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((total, count) => total + count, 0);
