import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../verification/check/check.ts';
import { BatonProcess } from './testing/baton.ts';
import { directory } from './testing/directory.ts';
import { sharedBaton as baton } from './testing/shared-baton.ts';

describe('baton verify', () => {
  const counts = [
    { sites: 2, network: 'fifo', states: 14, transitions: 24, depth: 7 },
    { sites: 3, network: 'fifo', states: 282, transitions: 642, depth: 18 },
    { sites: 3, network: 'unordered', states: 318 },
    { sites: 3, network: 'unordered-by-target', states: 210 },
  ];
  for (const { sites, network, ...figures } of counts) {
    it(`counts the states of ${sites} sites on ${network}, and all holds`, async () => {
      const asked = ['--sites', String(sites), '--network', network, '--json', '-'];
      const { status, stdout } = await baton('verify', 'naimi-trehel', ...asked);
      const report = JSON.parse(stdout) as Report;
      expect(report).toMatchObject({ system: 'naimi-trehel', sites, network, ...figures });
      expect(report.seconds).toBeGreaterThan(0);
      expect(report.properties.length).toBeGreaterThan(10);
      for (const { name, verdict } of report.properties) expect(verdict, name).toBe('holds');
      expect(status).toBe(0);
    });
  }

  it('tells its own verdicts where another engine fails', async () => {
    const path = directory();
    writeFileSync(join(path, 'spin'), '#!/bin/sh\nexit 7\n', { mode: 0o755 });
    const asked = ['verify', 'naimi-trehel', '--sites', '2', '--second-opinion'];
    const { status, stdout, stderr } = await new BatonProcess(asked, { PATH: path }).end();
    expect(stdout).toContain('all 13 properties hold');
    expect(stderr).toContain('ENGINE_FAILED: spin ended with 7');
    expect(status).toBe(3);
  });

  it('explores orbits, and reports the number of their states and the effort', async () => {
    const asked = ['--sites', '5', '--symmetry', '--json', '-'];
    const { status, stdout } = await baton('verify', 'naimi-trehel', ...asked);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ orbits: 3_828, states: 440_120, workers: 1, complete: true });
    expect(Math.min(report.statesPerSecond, report.bytesPerState, report.peakMemoryBytes)).toBeGreaterThan(0);
    expect(report.properties.every(({ verdict }) => verdict === 'holds')).toBe(true);
    expect(status).toBe(0);
  });

  it('checks a link without --sites', async () => {
    const { status, stdout } = await baton('verify', 'link', '--max-states', '100');
    expect(stdout).toMatch(/^link: 2 sites, fifo network\n/);
    expect(status).toBe(3);
  });

  it('checks a mutant by its name, and lists the mutants that begin like an unknown one', async () => {
    const { status, stdout } = await baton('verify', 'link/nothing is resent');
    expect(stdout).toContain('violated: nothing unexpected');
    expect(status).toBe(1);
    for (const [asked, says] of [
      [
        ['epoch/R7'],
        'there are epoch/R7: a restart goes on where it crashed, epoch/R7: a vote is not written down',
      ],
      [['epoch/R7: a vote is not writen down'], 'did you mean epoch/R7: a vote is not written down?'],
      [['link/nothing is resent', '--sites', '2'], 'leave out --sites and --network'],
    ] as const) {
      const refused = await baton('verify', ...asked);
      expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining(says)]);
    }
  });

  it('checks again when a file beside the module changes', async () => {
    const file = join(directory(), 'shop.ts');
    const module = new URL('../verification/examples/msi.ts', import.meta.url).pathname;
    const write = (caches: number) =>
      writeFileSync(
        file,
        `import { msi } from ${JSON.stringify(module)};\nexport default msi({ caches: ${caches} });\n`,
      );
    write(2);
    const watching = new BatonProcess(['verify', file, '--watch']);
    await watching.hear(/^6 states/);
    write(3);
    await watching.hear(/has changed/);
    await watching.hear(/^11 states/);
    const { status, stderr } = await baton('verify', 'link', '--watch');
    expect([status, stderr]).toEqual([2, expect.stringContaining('--watch needs the path of a module')]);
  });

  it('explores with two threads', async () => {
    const { status, stdout } = await baton('verify', 'naimi-trehel', '--workers', '2', '--json', '-');
    expect(JSON.parse(stdout)).toMatchObject({ states: 282, transitions: 642, depth: 18, workers: 2 });
    expect(status).toBe(0);
  });

  it('judges properties of runs with --liveness, and not together with orbits', async () => {
    const { status, stdout } = await baton('verify', 'naimi-trehel', '--liveness');
    expect(status).toBe(0);
    expect(stdout.match(/^holds +leadsTo /gm)).toHaveLength(3);
    expect(await baton('verify', 'naimi-trehel', '--liveness', '--symmetry')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('RUNS_NEED_STATES'),
    });
    expect(await baton('verify', 'sketch', '--liveness')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('NO_LIVENESS'),
    });
  });

  it('keeps hashes with --hash-compact, and marks every verdict that rests on them', async () => {
    const file = join(directory(), 'report.json');
    const asked = ['naimi-trehel', '--hash-compact', '--json', file];
    const { status, stdout } = await baton('verify', ...asked);
    expect(status).toBe(0);
    const { hashCompaction, states } = JSON.parse(readFileSync(file, 'utf8')) as Report;
    expect(states).toBe(282);
    expect(hashCompaction?.bits).toBe(64);
    expect(hashCompaction?.omissionProbability).toBeCloseTo(2.1e-15, 16);
    expect(stdout).toMatch(
      /^holds +always +mutual exclusion \(unless states were omitted: probability 2\.1e-15\)$/m,
    );
    expect(stdout).toMatch(
      /all \d+ properties hold, unless states were omitted: .* 64 bits, probability 2.1e-15\n$/,
    );
    const few = await baton('verify', 'naimi-trehel', '--hash-compact', '8', '--sites', '4');
    expect(few.stdout).toMatch(/^incomplete .* mutual exclusion$/m);
    expect(few.stdout).toMatch(
      /a state was omitted with probability 1\.0, and 0\.001 is allowed: keep more bits/,
    );
    // A state that was not found may have been omitted.
    expect(few.stdout).toMatch(/^incomplete +reachable +a request is forwarded twice$/m);
    expect(few.status).toBe(3);
    expect(await baton('verify', 'naimi-trehel', '--hash-compact', '65')).toMatchObject({ status: 2 });
    expect(await baton('verify', 'naimi-trehel', '--hash-compact', '--symmetry')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('HASHING_UNSUPPORTED'),
    });
  });

  it('refuses to resume without a checkpoint', async () => {
    expect(await baton('verify', 'naimi-trehel', '--resume', directory())).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('CHECKPOINT_MISSING'),
    });
  });

  it('writes the same report as text and as a file', async () => {
    const file = join(directory(), 'report.json');
    const { status, stdout } = await baton('verify', 'naimi-trehel', '--json', file);
    expect(status).toBe(0);
    expect(stdout).toContain('naimi-trehel: 3 sites, fifo network\n282 states, 642 transitions, depth 18');
    expect(stdout).toMatch(/^holds +always +mutual exclusion$/m);
    expect(stdout).toMatch(/all \d+ properties hold\n$/);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ states: 282 });
  });

  it('ends with status 1 on the sketch, and shows the shortest trace of each fault', async () => {
    const file = join(directory(), 'report.json');
    const { status, stdout } = await baton('verify', 'sketch', '--sites', '3', '--json', file);
    expect(status).toBe(1);
    const { properties } = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const violated = properties.filter(({ verdict }) => verdict === 'violated');
    expect(violated.length).toBeGreaterThan(5);
    for (const { name, trace } of violated) {
      expect(trace!.steps, name).toBeDefined();
      const [, told] = stdout.split(`violated: ${name}\n`);
      expect(told, name).toBeDefined();
      expect(told, name).toContain('0. At first\n');
      if (trace!.steps.length > 0) expect(told, name).toContain(`\n${trace!.steps.length}. `);
    }
    expect(stdout).toMatch(/receives TOKENREQUEST\(port=b\) from b/);
  });

  it('ends with status 3 at a limit, with a partial report', async () => {
    const { status, stdout } = await baton('verify', 'naimi-trehel', '--sites', '4', '--max-states', '1000');
    expect(status).toBe(3);
    expect(stdout).toMatch(/^1,\d\d\d states/m);
    expect(stdout).toMatch(/^incomplete +always +mutual exclusion$/m);
    expect(stdout).toContain('the limit of 1000 states was reached');
    const timed = await baton('verify', 'naimi-trehel', '--sites', '5', '--timeout', '0.001');
    expect(timed.status).toBe(3);
  });

  it('ends with status 3 on Ctrl-C, with lines of progress and a partial report', async () => {
    const running = new BatonProcess(['verify', 'naimi-trehel', '--sites', '7', '--json', '-']);
    const progress = /^([\d,]+) states, [\d,]+ a second, depth \d+/m;
    await running.hearError(progress);
    running.child.kill('SIGINT');
    const { status, stdout, stderr } = await running.end();
    expect(status).toBe(3);
    const report = JSON.parse(stdout) as Report;
    const told = Number(progress.exec(stderr)![1]!.replaceAll(',', ''));
    expect(report.states).toBeGreaterThanOrEqual(told);
    expect(report.incomplete).toMatch(/interrupted/);
  });

  it('tells of a violation while it searches on, and stops there when asked', async () => {
    const module = join(directory(), 'endless.ts');
    const xstate = import.meta.resolve('xstate');
    writeFileSync(
      module,
      `import { assign, createMachine } from '${xstate}';
      export default createMachine({
        id: 'counter',
        context: { n: 0 },
        on: { up: { actions: assign(({ context: { n } }) => { if (n === 3) throw new Error('three'); return { n: n + 1 }; }) },
              past: { actions: assign(({ context: { n } }) => ({ n: n + 4 })) } },
      });`,
    );
    const running = new BatonProcess(['verify', module]);
    await running.hearError(/^violated: no machine fails\. Ctrl-C ends the search/m);
    running.child.kill('SIGINT');
    const interrupted = await running.end();
    const stopped = await baton('verify', module, '--stop-at-first');
    for (const { status, stdout } of [interrupted, stopped]) {
      expect(status).toBe(1);
      expect(stdout).toContain('violated: no machine fails\ncounter: three\n');
    }
  });

  it('takes a module whose default export is a system', async () => {
    const philosophers = 'verification/examples/dining-philosophers.ts';
    const { status, stdout } = await baton('verify', philosophers);
    expect(status).toBe(1);
    expect(stdout).toContain('violated: ');
    const sized = await baton('verify', philosophers, '--sites', '4');
    expect(sized).toMatchObject({ status: 2, stdout: '' });
    expect(sized.stderr).toContain('export a function of { sites, network } instead');
  });

  it('takes a module whose default export is a function of the options', async () => {
    const module = join(directory(), 'mine.ts');
    const systems = new URL('../verification/protocols/systems.ts', import.meta.url).href;
    writeFileSync(module, `import { systems } from '${systems}';\nexport default systems['naimi-trehel'];\n`);
    const { status, stdout } = await baton('verify', module, '--sites', '2', '--json', '-');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sites: 2, states: 14 });
  });

  it('refuses a module that exports no system, does not load, or uses what may not be checked', async () => {
    const none = join(directory(), 'none.ts');
    writeFileSync(none, 'export default { actors: {} };\n');
    expect(await baton('verify', none)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('to be a System, { name, actors, network, properties }'),
    });
    const broken = join(directory(), 'broken.ts');
    writeFileSync(broken, 'throw new Error("out of order");\n');
    expect(await baton('verify', broken)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('out of order'),
    });
    const impure = join(directory(), 'impure.ts');
    const { resolve } = import.meta;
    writeFileSync(
      impure,
      `import { assign, createMachine } from '${resolve('xstate')}';
       const machine = createMachine({ context: { at: 0 }, on: { go: { actions: assign({ at: () => Date.now() }) } } });
       const actors = { a: { machine, environment: [{ event: { type: 'go' } }] } };
       export default { name: 'impure', actors, network: { order: 'fifo' }, properties: [] };\n`,
    );
    expect(await baton('verify', impure)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/MACHINE_IMPURE/),
    });
  });

  it('writes a trace as Mermaid, ShiViz and JSON, and repeats it from a file', async () => {
    const system = 'verification/examples/dining-philosophers.ts';
    const [report, xml] = [join(directory(), 'report.json'), join(directory(), 'report.xml')];
    const mermaid = await baton('verify', system, '--trace', 'mermaid', '--json', report, '--junit', xml);
    expect(mermaid.stdout).toContain('\nsequenceDiagram\n  participant p0 as philosopher 1\n');
    expect((await baton('verify', system, '--trace', 'shiviz')).stdout).toContain(
      'philosopher_1 {"philosopher_1":1}',
    );
    const { properties } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const { trace } = properties.find(({ verdict }) => verdict === 'violated')!;
    const json = JSON.stringify(trace, null, 2);
    expect((await baton('verify', system, '--trace', 'json')).stdout).toContain(json);

    const [file, altered] = [join(directory(), 'trace.json'), join(directory(), 'altered.json')];
    writeFileSync(file, json);
    for (const traces of [file, report]) {
      expect(await baton('verify', system, '--replay', traces)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`the system takes all ${trace!.steps.length} steps`),
      });
    }
    writeFileSync(altered, json.replace('"type": "hungry"', '"type": "full"'));
    expect(await baton('verify', system, '--replay', altered)).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(
        /refused: .* cannot take step 1 .*could have taken: philosopher 1: hungry/,
      ),
    });
    expect(await baton('verify', system, '--replay', 'package.json')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no trace in package.json'),
    });
    const failures = properties.filter(({ verdict }) => verdict === 'violated').length;
    expect(readFileSync(xml, 'utf8')).toMatch(
      new RegExp(`<testsuites tests="${properties.length}" failures="${failures}" `),
    );
    expect(readFileSync(xml, 'utf8')).toContain(
      '<failure message="nothing can happen any more" type="violated">',
    );
  });

  it('lists the transitions that were never taken', async () => {
    const { stdout } = await baton('verify', 'naimi-trehel', '--coverage');
    expect(stdout).toMatch(/^site: \d+ of \d+ transitions taken$/m);
    expect(stdout).toMatch(/^ {2}never: site\.client\.inCS: leave if alone -> site\.client\.left$/m);
    expect(stdout).not.toMatch(/never: site\.client\.inCS: release/);
    expect((await baton('verify', 'naimi-trehel')).stdout).not.toContain('never:');
  });

  it('annotates a run of GitHub Actions', async () => {
    const asked = ['verify', 'verification/examples/dining-philosophers.ts'];
    const { stdout } = await new BatonProcess(asked, { GITHUB_ACTIONS: 'true' }).end();
    expect(stdout).toMatch(
      /^::error title=dining philosophers%2C .*%3A violated::nothing can happen any more%0A1\. /m,
    );
    expect((await baton(...asked)).stdout).not.toContain('::');
  });
});

it('baton verify --random gives no verdict `holds`', async () => {
  const sketch = await baton('verify', 'sketch', '--random', '--seeds', '30', '--depth', '40');
  expect(sketch.status).toBe(1);
  expect(sketch.stdout).toMatch(/^VIOLATED +always +next is never overwritten$/m);
  const runs = ['--random', '--seeds', '5', '--depth', '20', '--property', 'mutual exclusion'];
  const { status, stdout } = await baton('verify', 'naimi-trehel', '--sites', '8', ...runs);
  expect(status).toBe(3);
  expect(stdout).toMatch(/^incomplete +always +mutual exclusion$/m);
  expect(stdout).toContain('5 runs at random, of at most 20 steps, see some states only');
  expect(await baton('verify', 'sketch', '--random', '--symmetry')).toMatchObject({ status: 2 });
  expect(await baton('verify', 'sketch', '--seeds', '2')).toMatchObject({ status: 2 });
  expect(await baton('verify', 'sketch', '--property', 'mutual exlusion')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('did you mean mutual exclusion?'),
  });
});
