import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { atom, fact, type Query } from './formula.ts';
import { solvers } from './solver.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'solver-'));
  vi.stubEnv('PATH', `${directory}:${process.env['PATH']}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

/** A program that prints its version, or `answer`, and ends without having read its input. */
const program = async (name: string, answer: string) => {
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo "${name} 0"; else echo "${answer}"; fi\n`;
  await writeFile(join(directory, name), script);
  await chmod(join(directory, name), 0o755);
};

/** More than a pipe holds. */
const long: Query = {
  relations: { token: 1 },
  constants: ['a'],
  assertions: Array.from({ length: 100_000 }, () => fact(atom('token', 'a'))),
};

test('a program that ends before it has read all is heard by its answer', async () => {
  await program('z3', 'unknown');
  const solver = await solvers.z3(1_000);
  expect(solver.name).toBe('z3 0');
  expect(await solver.ask(long)).toBe('unknown');
});

test('a program that ends without an answer fails, and its words are told', async () => {
  await program('cvc5', 'out of memory');
  const solver = await solvers.cvc5(1_000);
  await expect(solver.ask(long)).rejects.toThrow(
    'SOLVER_FAILED: Expected sat, unsat or unknown from cvc5, and got: out of memory',
  );
});
