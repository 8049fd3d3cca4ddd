import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { CodedError } from '../../machines/errors.ts';
import { check } from '../../verification/check/check.ts';
import { systemOf } from '../../verification/check/machine.ts';
import { whole } from '../columns.ts';
import { commit, type Example, examples } from './examples.ts';
import { machinesMadeIn } from './load.ts';

/*
 * Checks the machines of the examples and templates of the XState repository, which is not part of this one:
 *
 *   git clone https://github.com/statelyai/xstate FOLDER
 *   npm run bench:corpus -- FOLDER [words of file names]
 *
 * Or set XSTATE_REPOSITORY instead of FOLDER. Exit status: 0 all came out as listed, 1 not, 2 there is no such folder.
 */

/** The result of one machine. */
interface Result {
  readonly example: Example;
  readonly id: string;
  /** As `Example.violates`; an error's code where it was refused. */
  readonly verdict: 'checked' | 'incomplete' | 'refused';
  readonly says: string;
  readonly states: number;
  readonly transitions: number;
  readonly isAsListed: boolean;
}

const limits = { maxStates: 1_000_000, maxSeconds: 300 };

async function resultOf(folder: string, example: Example): Promise<Result> {
  const { index = -1, violates = [] } = example;
  let machine: AnyStateMachine | undefined;
  try {
    machine = (await machinesMadeIn(join(folder, example.file), example)).at(index);
    if (machine === undefined) throw new RangeError('it makes no such machine');
    const report = await check(systemOf(machine, example), limits);
    const { properties, states, transitions, complete, incomplete } = report;
    const violated = properties.filter(({ verdict }) => verdict === 'violated').map(({ name }) => name);
    return {
      example,
      id: machine.id,
      verdict: complete ? 'checked' : 'incomplete',
      says: complete ? violated.map((name) => `not: ${name}`).join(', ') || 'all hold' : incomplete!,
      states,
      transitions,
      isAsListed:
        example.refused === undefined && complete && JSON.stringify(violated) === JSON.stringify(violates),
    };
  } catch (error) {
    const says = error instanceof CodedError ? `${error.code}: ${error.message}` : String(error);
    const id = machine?.id ?? '';
    const isAsListed = error instanceof CodedError && error.code === example.refused;
    return { example, id, verdict: 'refused', says, states: 0, transitions: 0, isAsListed };
  }
}

/** The settings of a machine beside its definition. */
function adaptationOf(example: Example): string {
  const { outcomes, events, input, chance } = example;
  const words = { outcomes, input, events, chance, bounds: isBounded(example) ? true : undefined };
  const said = Object.entries(words).flatMap(([word, value]) => (value === undefined ? [] : [word]));
  return said.length === 0 ? 'as it is' : `with ${said.join(', ')}`;
}

/** Whether some event comes only so often: a counter has no end otherwise. */
function isBounded({ outcomes = {}, events = [] }: Example): boolean {
  return (
    events.some((event) => 'times' in event) ||
    Object.values(outcomes).some(({ times }) => times !== undefined)
  );
}

/** The files of the folder that make machines, each as often as it does. */
function filesIn(folder: string): readonly string[] {
  return ['examples', 'templates'].flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(tsx?|jsx?|vue|svelte)$/.test(file))
      .flatMap((file) => {
        const made = readFileSync(join(folder, part, file), 'utf8').match(/createMachine\(/g) ?? [];
        return made.map(() => `${part}/${file}`);
      }),
  );
}

const [given = process.env['XSTATE_REPOSITORY'], ...words] = process.argv.slice(2);
if (given === undefined || !existsSync(join(given, 'examples'))) {
  process.stderr.write(
    'Expected a checkout of github.com/statelyai/xstate: npm run bench:corpus -- FOLDER\n',
  );
  process.exit(2);
}
const folder = resolve(given);
const chosen = examples.filter(({ file }) => words.every((word) => file.includes(word)));
const results: Result[] = [];
for (const example of chosen) {
  const result = await resultOf(folder, example);
  results.push(result);
  const { id, verdict, says, states, transitions, isAsListed } = result;
  process.stdout.write(
    `${isAsListed ? '' : 'otherwise than listed: '}${example.file} ${id}, ${adaptationOf(example)}: ${verdict}, ` +
      `${whole(states)} states, ${whole(transitions)} transitions, ${says}\n`,
  );
}
const listed = examples.map(({ file }) => file);
const missing = filesIn(folder).filter((file) => {
  const index = listed.indexOf(file);
  if (index >= 0) listed.splice(index, 1);
  return index < 0;
});
const count = (is: (result: Result) => boolean) => results.filter(is).length;
const checked = count(({ verdict }) => verdict === 'checked');
const asTheyAre = count(
  ({ verdict, example }) => verdict === 'checked' && adaptationOf(example) === 'as it is',
);
const bounded = count(({ verdict, example }) => verdict === 'checked' && isBounded(example));
const all = results.length + (words.length === 0 ? missing.length : 0);
if (words.length === 0) for (const file of missing) process.stdout.write(`not listed: ${file}\n`);
process.stdout.write(
  `statelyai/xstate, list of ${commit.slice(0, 12)}: ${checked} of ${all} machines checked (${Math.round((100 * checked) / all)} %), ` +
    `${asTheyAre} of them as they are, ${bounded} with a bound on how often an event comes; ${count(({ isAsListed }) => !isAsListed)} came out otherwise than listed\n`,
);
process.exitCode =
  results.every(({ isAsListed }) => isAsListed) && (words.length > 0 || missing.length === 0) ? 0 : 1;
