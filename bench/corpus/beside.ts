import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import type { AnyStateMachine, EventObject } from 'xstate';
import { CodedError } from '../../machines/errors.ts';
import { compile } from '../../statechart/compile.ts';
import { StatechartError } from '../../statechart/errors.ts';
import { Beside, Difference as EngineDiffers, explore } from '../../statechart/testing/beside.ts';
import { bareEvents } from '../../verification/check/machine.ts';
import { invokedBy, type Outcomes } from '../../verification/system/tree/outcomes.ts';
import { follow, Difference as TreeDiffers } from '../../verification/system/tree/testing/live-app.ts';
import { machinesMadeIn } from './load.ts';

/*
 * Steps the machines of XState's own core tests, and the SCION and W3C fixtures that it reads, beside XState: the compiled
 * engine beside its pure transitions, and the tree of actors beside live actors. None of them is part of this repository:
 *
 *   git clone https://github.com/statelyai/xstate FOLDER
 *   npm install --prefix FIXTURES @scion-scxml/test-framework xml-js
 *   npm run bench:beside -- FOLDER FIXTURES
 *
 * Exit status: 0 nothing differs, 1 something does, 2 there are no such folders.
 */

/**
 * The result of one engine and one machine: the number of steps that were the same, or the code under which it is
 * refused.
 */
type Came = { readonly steps: number } | { readonly refused: string } | { readonly differs: string };

const failed = new Error('no');

/** Machines that cannot be compared with themselves, and why. */
const remember: Readonly<Record<string, string>> = {
  'transient.test.ts #21': 'it counts in a variable of its test, and fails at the sixth step of all runs',
};

/** Some outcome of each kind, for the logic that a machine of a test invokes. */
function someOutcomes(machine: AnyStateMachine): Outcomes {
  const ends = { done: [1], error: [failed] };
  const of = {
    promise: ends,
    callback: {},
    observable: { ...ends, next: [1] },
    'event observable': { ...ends, sends: [{ type: 'given' }] },
  };
  return Object.fromEntries(invokedBy(machine).map(({ name, kind }) => [name, of[kind]]));
}

function compiledBeside(machine: AnyStateMachine, events: readonly EventObject[]): Came {
  try {
    return {
      steps: explore(new Beside(machine, compile(machine)), [undefined], events, { most: 100 }).steps,
    };
  } catch (error) {
    if (error instanceof StatechartError) return { refused: error.code };
    // Features that only a running step shows are refused there.
    const [, code] = /not StatechartError: ([A-Z_]+)/.exec(String(error)) ?? [];
    if (code !== undefined) return { refused: code };
    if (error instanceof EngineDiffers) return { differs: error.message };
    // XState and the engine run the same functions, which may fail outside of the test that they were written for.
    return { refused: `threw ${String(error).slice(0, 60)}` };
  }
}

async function treeBeside(machine: AnyStateMachine, events: readonly EventObject[]): Promise<Came> {
  let steps = 0;
  try {
    const app = { machine, outcomes: someOutcomes(machine), events };
    for (let run = 0; run < 20; run++) {
      const choices = Array.from(
        { length: 8 },
        (_, step) => (run * 7919 + step * 104_729 + run * step * 31) % 1_009,
      );
      steps += await follow(app, app, choices);
    }
    return { steps };
  } catch (error) {
    if (error instanceof TreeDiffers) return { differs: error.message };
    if (error instanceof CodedError) return { refused: error.code };
    return { refused: `threw ${String(error).slice(0, 60)}` };
  }
}

class Tally {
  readonly #name: string;
  #same = 0;
  #steps = 0;
  readonly #refused = new Map<string, number>();
  readonly differences: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  add(which: string, came: Came): void {
    if ('differs' in came) this.differences.push(`${which}: ${came.differs}`);
    else if ('refused' in came) this.#refused.set(came.refused, (this.#refused.get(came.refused) ?? 0) + 1);
    else {
      this.#same++;
      this.#steps += came.steps;
    }
  }

  text(): string {
    const refused = [...this.#refused].map(([code, count]) => `${count} ${code}`).join(', ') || 'none';
    const differing = this.differences.map((text) => `\n  ${text}`).join('');
    return `${this.#name}: ${this.#same} the same (${this.#steps} steps), ${this.differences.length} differ, refused: ${refused}${differing}`;
  }
}

/** In XState's reader of SCXML, its own sources are taken from the XState that is installed. */
function reader(fixtures: string): Plugin {
  const fromFixtures = createRequire(join(fixtures, 'package.json'));
  return {
    name: 'reader',
    resolveId(source, importer) {
      if (importer === undefined) return null;
      if (source === 'xml-js') return { id: fromFixtures.resolve('xml-js'), external: true };
      if (source === 'xstate') return { id: join(import.meta.dirname, 'xstate.ts'), external: true };
      if (importer.startsWith('\0')) return null;
      return /\/(constants|utils|types)(\.ts)?$/.test(source) ? null : '\0xstate';
    },
    load: (id) =>
      id === '\0xstate'
        ? "export * from 'xstate'; export const SpecialTargets = { Parent: '#_parent', Internal: '#_internal' };"
        : null,
  };
}

async function scxmlReader(folder: string, fixtures: string): Promise<(text: string) => AnyStateMachine> {
  const temporary = mkdtempSync(join(tmpdir(), 'baton-scxml-'));
  try {
    const input = join(folder, 'packages/core/src/scxml.ts');
    const bundle = await rolldown({
      input,
      plugins: [reader(fixtures)],
      tsconfig: false,
      platform: 'node',
      logLevel: 'silent',
    });
    const file = join(temporary, 'scxml.mjs');
    await bundle.write({ file, format: 'esm', codeSplitting: false });
    return ((await import(pathToFileURL(file).href)) as { toMachine: (text: string) => AnyStateMachine })
      .toMachine;
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** The groups of fixtures that XState's own test reads, as it lists them. */
function fixtureNames(folder: string): readonly string[] {
  const text = readFileSync(join(folder, 'packages/core/test/scxml.test.ts'), 'utf8');
  const [, listed] = /const testGroups[^=]*= (\{[\s\S]*?\n\});/.exec(text)!;
  const groups = new Function(`return ${listed}`)() as Readonly<Record<string, readonly string[]>>;
  return Object.entries(groups).flatMap(([group, names]) => names.map((name) => `${group}/${name}`));
}

const [folder, fixtures] = process.argv.slice(2).map((path) => resolve(path));
const framework = join(fixtures ?? '', 'node_modules/@scion-scxml/test-framework/test');
if (
  folder === undefined ||
  !existsSync(join(folder, 'packages/core/src/scxml.ts')) ||
  !existsSync(framework)
) {
  process.stderr.write(
    'Expected a checkout of github.com/statelyai/xstate, and a folder with @scion-scxml/test-framework and xml-js: ' +
      'npm run bench:beside -- FOLDER FIXTURES\n',
  );
  process.exit(2);
}

const tallies: Tally[] = [];
async function stepBeside(
  name: string,
  machines: readonly (readonly [string, AnyStateMachine, readonly EventObject[]])[],
) {
  const [engine, tree] = [new Tally(`${name}, compiled engine`), new Tally(`${name}, tree of actors`)];
  for (const [which, machine, events] of machines) {
    engine.add(which, compiledBeside(machine, events));
    tree.add(
      which,
      remember[which] === undefined ? await treeBeside(machine, events) : { refused: 'it remembers outside' },
    );
  }
  tallies.push(engine, tree);
  process.stdout.write(`${name}: ${machines.length} machines\n${engine.text()}\n${tree.text()}\n`);
}

const toMachine = await scxmlReader(folder, fixtures!);
const fixturesRead = fixtureNames(folder).map((name) => {
  // One is a fixture of XState's own.
  const own = join(folder, 'packages/core/test/fixtures/scxml', `${name}.scxml`);
  const file = existsSync(own) ? own : join(framework, `${name}.scxml`);
  const { events } = JSON.parse(readFileSync(join(framework, `${name}.json`), 'utf8')) as {
    readonly events: readonly { readonly event: { readonly name: string } }[];
  };
  const machine = toMachine(readFileSync(file, 'utf8'));
  return [name, machine, events.map(({ event }) => ({ type: event.name }))] as const;
});
await stepBeside('SCION and W3C fixtures', fixturesRead);

const tests = readdirSync(join(folder, 'packages/core/test')).filter(
  (file) => file.endsWith('.test.ts') && !/types|scxml/.test(file),
);
const made: (readonly [string, AnyStateMachine, readonly EventObject[]])[] = [];
for (const file of tests) {
  const machines = await machinesMadeIn(join(folder, 'packages/core/test', file), { isTest: true });
  for (const [index, machine] of machines.entries())
    made.push([`${file} #${index}`, machine, bareEvents(machine)]);
}
await stepBeside('machines of the core tests', made);
process.exit(tallies.some(({ differences }) => differences.length > 0) ? 1 : 0);
