import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import alternatingBit from '../examples/alternating-bit.ts';
import { questionsOf } from '../export/questions.ts';
import { tabulate } from '../export/table.ts';
import { tlaplus } from '../export/tlaplus/tlaplus.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { eventually, every, leadsTo, some } from '../system/properties.ts';
import type { Network, System } from '../system/system.ts';
import { EngineError } from './engine.ts';
import { opinionOf } from './opinions.ts';
import { startingAnywhere, withFormulas } from './testing/small.ts';
import { parseTlc, tlc } from './tlc.ts';

/* With TLA2TOOLS_JAR: TLC against Baton. Larger systems stand in tlc.slow.test.ts. */

const isHere = process.env['TLA2TOOLS_JAR'] !== undefined;
const over = (network: Network, system = naimiTrehel({ sites: 2, network: { order: network.order } })) =>
  ({ ...system, network }) as System;

/** TLC 1.7.4 judges a formula wrongly that has a constant: it calls `<>TRUE` violated. */
const constant: System = {
  ...over({ order: 'fifo' }),
  properties: [
    eventually(
      'all is well',
      every(() => true),
    ),
    eventually(
      'all ends',
      every(() => false),
    ),
    leadsTo(
      'nothing follows',
      some(() => false),
      some(() => false),
    ),
  ],
};

describe.skipIf(!isHere)('TLC, from the same statecharts', { timeout: 120_000 }, () => {
  test.each([
    ['bounded queues with losses', alternatingBit],
    ['a queue that loses, doubles and breaks', over({ order: 'fifo', loss: 2, duplication: 1, breaks: 1 })],
    ['a bag that loses and doubles', over({ order: 'unordered', loss: 1, duplication: 1 })],
    ['a bag that keeps all', over({ order: 'unordered', duplication: 'persistent' })],
    ['a bag for each target', over({ order: 'unordered-by-target', duplication: 2, loss: 'unbounded' })],
  ])('counts and judges as Baton does: %s', async (_, system) => {
    expect(opinionOf(await check(system), await tlc(system)).differences).toEqual([]);
  });

  test('refutes a mistake by a trace as short, which the statecharts take', async () => {
    const machine = mutants['an idle root copies the token']!;
    const system = naimiTrehel({ sites: 2, network: { order: 'unordered' }, machine });
    const broken = ({ properties }: Awaited<ReturnType<typeof check>>) =>
      properties.flatMap(({ name, verdict, trace }) =>
        verdict === 'violated' ? [[name, trace?.steps.length]] : [],
      );
    const theirs = broken(await tlc(system));
    expect(theirs).toContainEqual(['mutual exclusion', 4]);
    expect(theirs).toEqual(broken(await check(system)));
  });

  test('judges properties of runs whose predicates are the same in all states', async () => {
    const { differences, unasked } = opinionOf(await check(constant), await tlc(constant));
    expect([...differences, ...unasked]).toEqual([]);
  });

  test('takes several initial states, and refutes a property in one of them', async () => {
    const theirs = await tlc(startingAnywhere);
    const { differences, unasked } = opinionOf(await check(startingAnywhere), theirs);
    expect([...differences, ...unasked]).toEqual([]);
    const broken = theirs.properties.find(({ verdict }) => verdict === 'violated');
    expect(broken!.trace).toMatchObject({ initial: { guest: { context: { times: 3 } } }, steps: [] });
  });

  test('judges formulas without U, R, W and X', async () => {
    const { differences, unasked } = opinionOf(await check(withFormulas), await tlc(withFormulas));
    expect(differences).toEqual([]);
    expect(unasked).toHaveLength(7);
    expect(unasked[0]).toMatch(/^until: EXPORT_REFUSED: .* its formula has U, R or W, /);
  });
});

test('a property of runs names a variable, also where its predicate is the same in all states', async () => {
  const table = await tabulate(constant);
  const { text } = tlaplus(table, await questionsOf(table));
  expect(text).toContain('all_is_well == <>(TRUE /\\ local = local)');
  expect(text).toContain('nothing_follows == (FALSE /\\ local = local) ~> (FALSE /\\ local = local)');
});

test('without a jar it says how to name one', async () => {
  const { TLA2TOOLS_JAR: jar } = process.env;
  delete process.env['TLA2TOOLS_JAR'];
  try {
    await expect(tlc(alternatingBit)).rejects.toMatchObject({
      code: 'ENGINE_MISSING',
      message: expect.stringContaining('TLA2TOOLS_JAR'),
    });
  } finally {
    if (jar !== undefined) process.env['TLA2TOOLS_JAR'] = jar;
  }
});

describe('the output of TLC', () => {
  const message = (code: number, text: string, severity = 0) =>
    `@!@!@STARTMSG ${code}:${severity} @!@!@\n${text}\n@!@!@ENDMSG ${code} @!@!@\n`;
  const counts =
    message(2199, '643 states generated, 282 distinct states found, 0 states left on queue.') +
    message(2194, 'The depth of the complete state graph search is 19.');
  const state = (number: number, step: string) =>
    message(2217, `${number}: <${step} line 4, col 1 to line 4, col 9 of module m>\nx = 1\n`, 4);
  const first = message(2217, '1: <Initial predicate>\nx = 0\n', 4);

  test('counts, without the initial state', () => {
    const told = 'BATON broken L1\n"BATON reached two_wait"\n';
    const answer = parseTlc(`TLC2 Version 2.19 of today\n${told}${counts}`);
    expect(answer).toMatchObject({ version: 'TLC 2.19', states: 282, transitions: 642, depth: 18 });
    expect(answer).toMatchObject({ violated: false, steps: [] });
    expect([...answer.told]).toEqual(['broken L1', 'reached two_wait']);
  });

  test('a counterexample by its steps', () => {
    const violated = message(2110, 'Invariant L1 is violated.', 1);
    const trace = first + state(2, 'b_ask') + state(3, 'Deliver_b_a_message("REQUEST_b")');
    expect(parseTlc(violated + trace + counts)).toMatchObject({
      violated: true,
      steps: ['b_ask', 'Deliver_b_a_message("REQUEST_b")'],
    });
  });

  test('a lasso by its steps and the state to which it comes back, or at which it stays', () => {
    const violated = message(2116, 'Temporal property P was violated.', 1);
    const back = message(2122, '2: Back to state: <Around line 5, col 1 to line 5, col 9 of module m>', 4);
    const run = first + state(2, 'Up(1)') + state(3, 'Up(2)');
    expect(parseTlc(violated + run + back + counts)).toMatchObject({
      steps: ['Up(1)', 'Up(2)', 'Around'],
      loop: 1,
    });
    const stays = parseTlc(violated + run + message(2218, '4: Stuttering', 4) + counts);
    expect(stays).toMatchObject({ violated: true, steps: ['Up(1)', 'Up(2)'] });
    expect(stays.loop).toBeUndefined();
    const atFirst = message(2116, 'Temporal properties were violated.', 1) + first;
    const counted = message(2199, '643 states generated, 282 distinct states found, 0 states left on queue.');
    expect(parseTlc(atFirst + message(2218, '2: Stuttering', 4) + counted)).toMatchObject({
      violated: true,
      steps: [],
    });
  });

  test('a property that is broken at first', () => {
    const text = message(2107, 'Invariant L1 is violated by the initial state:\nx = 0', 1);
    expect(parseTlc(text)).toMatchObject({ violated: true, steps: [] });
  });

  test('of a server: its counts, and a search that it stops', () => {
    const server = 'TLC2 TLC Server Version 2.19 of today\n';
    const counted = message(2199, '642 states generated, 282 distinct states found, 0 states left on queue.');
    const whole = server + counted + message(2194, 'The depth of the complete state graph search is 19.');
    expect(parseTlc(whole)).toMatchObject({ version: 'TLC 2.19', states: 282, transitions: 642, depth: 18 });
    const stopped = message(2121, 'The behavior up to this point is:', 1) + first + state(2, 'b_ask');
    expect(parseTlc(server + stopped + counted)).toMatchObject({ violated: true, steps: ['b_ask'] });
    const atFirst = 'Error: Invariant L1 is violated.\nWhile working on the initial state:\nx = 0';
    expect(parseTlc(server + message(2102, atFirst, 1))).toMatchObject({ violated: true, steps: [] });
  });

  test('an error of TLC, or no counts, is no answer', () => {
    const error = message(1000, 'TLC threw an unexpected exception.', 1);
    for (const output of [error + counts, '']) expect(() => parseTlc(output)).toThrow(EngineError);
  });
});
