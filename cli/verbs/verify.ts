import { type Command, Option } from 'commander';
import type { Address } from '../../runtime/api/peer.ts';
import type { CheckOptions, Progress, Report, SimulateOptions } from '../../verification/check/check.ts';
import { UsageError } from '../../verification/check/errors.ts';
import type { Distributed, EngineReport } from '../../verification/engines/engine.ts';
import type { EngineName, Opinion } from '../../verification/engines/opinions.ts';
import type { FoundSystem } from '../../verification/protocols/find-system.ts';
import type { System } from '../../verification/system/system.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { address, bytes, flagOf, positiveNumber, probability, wholeNumber } from '../options.ts';
import { liveView, proseStream, remark, writeFileOrRefuse, writeJson } from '../output.ts';
import type { VerifyOptions } from '../verify/options.ts';

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('check every reachable state of a system')
    .description(
      'Explores every state that a system of XState machines can reach, and judges its properties. SYSTEM is a ' +
        'name (naimi-trehel, naimi-trehel-combined, naimi-trehel-leaving, line, line-combined, line-leaving, ' +
        'line-overtaking, sketch, link, link-restarts, epoch, epoch-strict, epoch-restarts, epoch-changes, epoch-fences, ' +
        'epoch-combined, epoch-liveness, epoch-over, epoch-forgetting, founding, founding-anew, fitting, members, guests), a mutant of a protocol ' +
        "('epoch/R7: a vote is not written down'; epoch/ lists all), or the path of a module whose default export is a " +
        'System, or a function of { sites, network } that gives one. A module that exports a machine is checked alone, ' +
        'with all actors below the machine (baton outline).',
    )
    .argument('<system>', 'a name or a path')
    .option('--sites <n>', 'how many sites (default: 3)', wholeNumber(1))
    .addOption(
      new Option('--network <order>', 'how messages travel (default: fifo)').choices([
        'fifo',
        'unordered',
        'unordered-by-target',
      ]),
    )
    .option('--liveness', 'judge also what must happen in the end, under fairness, where the system says it')
    .option('--symmetry', 'explore one state of each orbit of the actors that are interchangeable')
    .option(
      '--workers <n>',
      'threads that explore, without --symmetry, or that share the runs of --random (default: 1)',
      wholeNumber(1, 64),
    )
    .option(
      '--hash-compact [bits]',
      'keep hashes instead of states, and say how likely it is that any was omitted (8 to 64 bits, without a number 64; up to 44 take 4 bytes a state, more take 8)',
      wholeNumber(8, 64),
    )
    .option(
      '--max-omission <probability>',
      'with --hash-compact: the chance that a state was omitted above which the check is incomplete (default: 0.001)',
      probability,
    )
    .option('--fail-vacuous', 'take a property that holds vacuously (its trigger never occurs) for violated')
    .option(
      '--property <name>',
      'judge this property, and not the others; may be given several times',
      listed,
    )
    .option(
      '--random',
      'do not explore, but run at random, for what is too large; nothing holds for it, but much is found',
    )
    .option('--seeds <n>', 'with --random: how many runs (default: 1000)', wholeNumber(1))
    .option('--depth <n>', 'with --random: the most steps of a run (default: 200)', wholeNumber(1))
    .option('--first-seed <n>', 'with --random: the seed of the first run (default: 1)', wholeNumber(0))
    .option('--stop-at-first', 'stop after the steps of the depth at which the first violation was found')
    .option('--max-states <n>', 'stop after this number of states', wholeNumber(1))
    .option('--max-memory <bytes>', 'stop, or spill, at so much memory: 4GiB, 512MiB', bytes)
    .option('--timeout <seconds>', 'stop after so long', positiveNumber)
    .option('--spill <dir>', 'where states go when the memory is short')
    .option(
      '--checkpoint <dir>',
      'save the exploration there, every five seconds or so; what --spill took to the disk, too',
    )
    .option('--resume <dir>', 'go on from what --checkpoint saved, with --spill if that had spilled')
    .addOption(
      new Option('--trace <format>', 'how the shortest way to a violation is printed')
        .choices(['text', 'json', 'mermaid', 'shiviz'])
        .default('text'),
    )
    .option('--replay <file>', 'check nothing, but take the traces of <file> (--trace json, --json) again')
    .addOption(
      new Option('--engine <name>', 'the model checker that explores; docs/engines.md')
        .choices(['baton', 'spin', 'tlc'])
        .default('baton'),
    )
    .option(
      '--swarm <n>',
      'with --engine spin: that many random searches, with --first-seed for the first; docs/engines.md',
      wholeNumber(1, 10_000),
    )
    .option(
      '--distributed <n>',
      'with --engine tlc: by its server and that many workers, each a process; docs/engines.md',
      wholeNumber(1, 1_000),
    )
    .option(
      '--fingerprint-servers <n>',
      'with --distributed: the states seen are kept by that many processes of their own',
      wholeNumber(1, 1_000),
    )
    .option(
      '--address <host:port>',
      "with --distributed: where TLC's server listens, for workers of other hosts",
      address,
    )
    .option(
      '--join <host:port>',
      'with --distributed: check nothing, but lend the workers to the server of another host; with --address of this one',
      address,
    )
    .option(
      '--second-opinion',
      'ask every other engine that is installed, too, and compare counts and verdicts',
    )
    .option(
      '--regression <file>',
      'write a Vitest file that takes each counterexample again: red while the mistake is there',
    )
    .option('--watch', 'check again whenever a file in the folder of the module changes, until Ctrl-C')
    .option('--coverage', 'list the transitions of each statechart that were never taken')
    .option('--html <file>', 'write one page with all of it: verdicts, coverage, every trace to play')
    .option('--junit <file>', 'write the report as JUnit XML')
    .option('--json <file>', 'write the report as JSON; - for standard output, and nothing else there')
    .addHelpText(
      'after',
      '\nExit status: 0 all hold, 1 violated, 2 wrong usage, 3 incomplete (a limit was reached, or Ctrl-C).\nWith --replay: 0 the system takes every trace, 1 it does not.\nIn GitHub Actions it annotates the run with what does not hold.',
    )
    .action(async (system: string, options: VerifyOptions) => {
      if (options.watch === true) {
        const { watchAndRun } = await import('../verify/watch.ts');
        await watchAndRun(system, process.argv);
      } else process.exitCode = await runVerify(system, options);
    });
}

async function runVerify(name: string, options: VerifyOptions): Promise<ExitStatus> {
  const { findSystem } = await import('../../verification/protocols/find-system.ts');
  const found = await findSystem(name, options);
  if (options.replay !== undefined) return takeTracesAgain(found, options.replay, options);
  const { EngineError } = await import('../../verification/engines/engine.ts');
  try {
    return await judged(found, options);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    remark(error.message);
    return error.code === 'ENGINE_DISAGREES' ? exitStatus.violated : exitStatus.incomplete;
  }
}

async function judged(found: FoundSystem, options: VerifyOptions): Promise<ExitStatus> {
  if (options.swarm !== undefined && options.engine !== 'spin')
    throw new UsageError('--swarm needs --engine spin');
  if (options.distributed !== undefined && options.engine !== 'tlc')
    throw new UsageError('--distributed needs --engine tlc');
  const ofDistributed = (['fingerprintServers', 'address', 'join'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (ofDistributed !== undefined && options.distributed === undefined)
    throw new UsageError(`${flagOf(ofDistributed)} needs --distributed`);
  if (options.join !== undefined) return lend(options.join, options);
  const report =
    options.engine === 'baton'
      ? await checked(found, options)
      : await checkedBy(options.engine, found, options);
  let opinions: readonly Opinion[] | null = null;
  try {
    if (options.secondOpinion === true) opinions = await opinionsOn(report, found, options);
  } catch (error) {
    // The first opinion stands, though another engine has failed.
    await printReport(report, options);
    throw error;
  }
  await writeJson(options.json, opinions === null ? report : { ...report, opinions });
  if (options.junit !== undefined) {
    const { junitXml } = await import('../verify/junit.ts');
    await writeFileOrRefuse(options.junit, junitXml(report));
  }
  if (options.regression !== undefined) await writeRegression(options.regression, found, report);
  if (options.html !== undefined) await writePage(options.html, found.system, report);
  await printReport(report, options);
  const { undeclared = [] } = found;
  if (undeclared.length > 0) {
    remark(
      `the module exports no events, so these come from outside with nothing but a type: ${undeclared.join(', ')} (baton outline)`,
    );
  }
  if (opinions === null) return statusOf(report, found.system);
  if (options.json !== '-') {
    const { opinionsText } = await import('../verify/text.ts');
    proseStream(options.json).write(`${opinionsText(opinions)}\n`);
  }
  return opinions.some(({ differences }) => differences.length > 0)
    ? exitStatus.violated
    : statusOf(report, found.system);
}

/** Options that only Baton's own engine has. */
const ownOptions = [
  'symmetry',
  'workers',
  'hashCompact',
  'property',
  'random',
  'seeds',
  'depth',
  'firstSeed',
  'maxOmission',
  'failVacuous',
  'stopAtFirst',
  'maxStates',
  'maxMemory',
  'checkpoint',
  'resume',
  'spill',
] as const satisfies readonly (keyof VerifyOptions)[];

async function checkedBy(
  engine: EngineName,
  { system }: FoundSystem,
  options: VerifyOptions,
): Promise<EngineReport> {
  const { timeout, firstSeed } = options;
  const swarm = engine === 'spin' ? options.swarm : undefined;
  const workers = engine === 'tlc' ? options.distributed : undefined;
  const own = ownOptions.find(
    (name) => options[name] !== undefined && !(name === 'firstSeed' && options.swarm !== undefined),
  );
  if (own !== undefined) {
    throw new UsageError(`${flagOf(own)} is of Baton's own engine: leave it out, or use --engine baton`);
  }
  const [{ engines }, { EngineError }, { ExportError }] = await Promise.all([
    import('../../verification/engines/opinions.ts'),
    import('../../verification/engines/engine.ts'),
    import('../../verification/export/errors.ts'),
  ]);
  const progress = await liveView(process.stderr, 2_000);
  try {
    return await interruptible((signal) =>
      engines[engine](system, {
        signal,
        ...(timeout !== undefined && { maxSeconds: timeout }),
        ...(swarm !== undefined && {
          swarm: { searches: swarm, ...(firstSeed !== undefined && { firstSeed }) },
        }),
        ...(workers !== undefined && { distributed: distributedOf(workers, options) }),
        onProgress: (line) =>
          progress.update(
            () => line,
            () => line,
          ),
      }),
    );
  } catch (error) {
    const isUsage =
      error instanceof ExportError || (error instanceof EngineError && error.code === 'ENGINE_MISSING');
    throw isUsage ? new UsageError(error.message) : error;
  } finally {
    progress.clear();
  }
}

const distributedOf = (workers: number, { fingerprintServers, address }: VerifyOptions): Distributed => ({
  workers,
  ...(fingerprintServers !== undefined && { fingerprintServers }),
  ...(address !== undefined && { address }),
});

/** Lends workers to TLC's server on another host, until it ends. */
async function lend(server: Address, options: VerifyOptions): Promise<ExitStatus> {
  const [{ joinDistributed }, { jarOfTlc }] = await Promise.all([
    import('../../verification/engines/tlc-distributed.ts'),
    import('../../verification/engines/tlc.ts'),
  ]);
  const { distributed: workers, fingerprintServers, address: own, timeout } = options;
  if (fingerprintServers !== undefined)
    throw new UsageError(
      '--fingerprint-servers run on the host of the server: leave it out where you --join',
    );
  await interruptible((signal) =>
    joinDistributed(
      jarOfTlc(),
      {
        server,
        workers: workers!,
        ...(own !== undefined && { host: own.host }),
      },
      { signal, ...(timeout !== undefined && { maxSeconds: timeout }), onProgress: remark },
    ),
  );
  remark(`the server at ${server.host}:${server.port} has ended, and tells the result`);
  return exitStatus.held;
}

/** Runs the other engines. One that is not installed is left out; at least one must remain. */
async function opinionsOn(
  report: Report,
  found: FoundSystem,
  options: VerifyOptions,
): Promise<readonly Opinion[]> {
  const { engines, opinionOf } = await import('../../verification/engines/opinions.ts');
  const opinions: Opinion[] = [];
  for (const engine of Object.keys(engines) as EngineName[]) {
    if (engine === options.engine) continue;
    try {
      opinions.push(opinionOf(report, await checkedBy(engine, found, options)));
    } catch (error) {
      if (!(error instanceof UsageError) || !error.message.startsWith('ENGINE_MISSING')) throw error;
      remark(error.message);
    }
  }
  if (opinions.length > 0) return opinions;
  throw new UsageError(
    'a second opinion needs another engine, and none is installed; Debian: apt install spin gcc, or set TLA2TOOLS_JAR',
  );
}

async function checked({ system, source, isMutant }: FoundSystem, options: VerifyOptions): Promise<Report> {
  refuseUnfit(options);
  const [{ refusedAsUsage }, { progressLine }, { check, simulate }] = await Promise.all([
    import('../../verification/protocols/find-system.ts'),
    import('../verify/text.ts'),
    import('../../verification/check/check.ts'),
  ]);
  const progress = await liveView(process.stderr, 2_000);
  const { liveness, symmetry, workers, maxStates, maxMemory, timeout, spill, checkpoint, resume } = options;
  const { hashCompact, maxOmission, failVacuous, property, random, seeds, depth, firstSeed } = options;
  const runs: SimulateOptions = {
    ...(property !== undefined && { only: property }),
    ...(seeds !== undefined && { seeds }),
    ...(depth !== undefined && { depth }),
    ...(firstSeed !== undefined && { firstSeed }),
    ...(timeout !== undefined && { maxSeconds: timeout }),
    ...(workers !== undefined && { workers, source }),
  };
  const how: CheckOptions = {
    source,
    ...((isMutant || options.stopAtFirst === true) && { stopAtFirst: true }),
    ...(liveness !== undefined && { liveness }),
    ...(symmetry !== undefined && { symmetry }),
    ...(workers !== undefined && { workers }),
    ...(hashCompact !== undefined && { hashCompaction: hashCompact === true ? 64 : hashCompact }),
    ...(maxOmission !== undefined && { maxOmissionProbability: maxOmission }),
    ...(failVacuous !== undefined && { failVacuous }),
    ...(property !== undefined && { only: property }),
    ...(maxStates !== undefined && { maxStates }),
    ...(maxMemory !== undefined && { maxMemoryBytes: maxMemory }),
    ...(timeout !== undefined && { maxSeconds: timeout }),
    ...(spill !== undefined && { spillDir: spill }),
    ...(checkpoint !== undefined && { checkpointDir: checkpoint, checkpointEveryMs: 5_000 }),
    ...(resume !== undefined && { resumeDir: resume }),
  };
  const onProgress = (now: Progress) => {
    const line = () => progressLine(now);
    progress.update(line, line);
  };
  try {
    return await interruptible((signal) =>
      refusedAsUsage(() =>
        random === true
          ? simulate(system, { ...runs, signal, onProgress })
          : check(system, { ...how, signal, onProgress }),
      ),
    );
  } finally {
    progress.clear();
  }
}

const ofRandom = ['seeds', 'depth', 'firstSeed'] as const;
const ofExploration = [
  'liveness',
  'symmetry',
  'hashCompact',
  'stopAtFirst',
  'maxStates',
  'maxMemory',
] as const;
const ofFiles = ['checkpoint', 'resume', 'spill'] as const;

/** Refuses options that would have no effect. */
function refuseUnfit(options: VerifyOptions): void {
  const without: readonly (keyof VerifyOptions)[] =
    options.random === true ? [...ofExploration, ...ofFiles] : ofRandom;
  const given = without.find((key) => options[key] !== undefined);
  if (given === undefined) return;
  const flag = flagOf(given);
  throw new UsageError(
    options.random === true ? `${flag} has no part in --random` : `${flag} needs --random`,
  );
}

/** Collects an option that may be given several times. */
function listed(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function writePage(path: string, system: System, report: Report): Promise<void> {
  const [{ fromReport }, { embeddedWith }, { selfContained }] = await Promise.all([
    import('../../inspector/server/from-report.ts'),
    import('../../inspector/server/sources.ts'),
    import('../../inspector/server/html.ts'),
  ]);
  const data = await embeddedWith(fromReport(system, report));
  await writeFileOrRefuse(path, await selfContained(data, remark));
}

async function writeRegression(path: string, { source }: FoundSystem, { properties }: Report): Promise<void> {
  const [{ regressionTest }, { dirname, resolve }] = await Promise.all([
    import('../../verification/check/regression.ts'),
    import('node:path'),
  ]);
  const text = regressionTest(source, properties, dirname(resolve(path)));
  if (text !== null) await writeFileOrRefuse(path, text);
  else remark(`${path} is not written: no property of states is violated`);
}

async function printReport(report: Report, { json, trace, coverage }: VerifyOptions): Promise<void> {
  const prose = proseStream(json);
  if (json !== '-') {
    const [{ coverageText, reportText }, { traceFormats }] = await Promise.all([
      import('../verify/text.ts'),
      import('../verify/traces.ts'),
    ]);
    prose.write(`${reportText(report, traceFormats[trace])}\n`);
    if (coverage === true) prose.write(`${coverageText(report)}\n`);
  }
  const { GITHUB_ACTIONS } = process.env;
  if (GITHUB_ACTIONS === 'true') {
    const { annotations } = await import('../verify/github.ts');
    for (const annotation of annotations(report)) prose.write(`${annotation}\n`);
  }
}

async function takeTracesAgain(
  { system }: FoundSystem,
  file: string,
  { json, trace }: VerifyOptions,
): Promise<ExitStatus> {
  const [{ refusedAsUsage }, { takeAgain, traceFormats }, { takenAgainText }] = await Promise.all([
    import('../../verification/protocols/find-system.ts'),
    import('../verify/traces.ts'),
    import('../verify/text.ts'),
  ]);
  const taken = await refusedAsUsage(async () => takeAgain(system, file));
  await writeJson(json, taken);
  if (json !== '-')
    for (const one of taken) proseStream(json).write(`${takenAgainText(one, traceFormats[trace])}\n`);
  return taken.every(({ refusal }) => refusal === null) ? exitStatus.held : exitStatus.violated;
}

/** A limit that is not the system's own leaves the check incomplete. */
function statusOf({ properties }: Report, { actors, constraint }: System): ExitStatus {
  const some = (verdict: string) => properties.some((property) => property.verdict === verdict);
  if (some('violated')) return exitStatus.violated;
  const isOwn =
    constraint !== undefined || Object.values(actors).some((spec) => spec.maxChildren !== undefined);
  const isCut = !isOwn && some('holds within the constraint');
  return isCut || some('incomplete') ? exitStatus.incomplete : exitStatus.held;
}
