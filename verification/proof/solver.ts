import { spawn } from 'node:child_process';
import type { Z3_ast, Z3_context, Z3_func_decl, Z3_sort } from 'z3-solver';
import { CodedError } from '../../machines/errors.ts';
import { type Formula, type Query, smtLib, type Term } from './formula.ts';

/** `unsat`: no sites and relations make all assertions true. `unknown`: the time was over, or the solver gave up. */
export type Answer = 'unsat' | 'sat' | 'unknown';

export interface Solver {
  /** Name and version. */
  readonly name: string;
  ask(query: Query): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * - `SOLVER_MISSING`: the package or the program is not installed.
 * - `SOLVER_FAILED`: a program ended without an answer.
 */
export class SolverError extends CodedError<'SOLVER_MISSING' | 'SOLVER_FAILED'> {}

/** The values of `--solver`: Z3 as WebAssembly (the package z3-solver), or a program on the PATH. */
export const solvers = {
  'z3-wasm': z3WebAssembly,
  z3: (timeoutMs: number) =>
    program('z3', ['--version'], ['-in', '-smt2', `-T:${Math.ceil(timeoutMs / 1000)}`]),
  cvc5: (timeoutMs: number) =>
    program('cvc5', ['--version'], ['--lang=smt2', `--tlimit=${timeoutMs}`, '--finite-model-find', '-']),
} satisfies Record<string, (timeoutMs: number) => Promise<Solver>>;

export type SolverName = keyof typeof solvers;

/** Terms are built through Z3's typed interface: no text is parsed, and the answer is a number of its own type. */
async function z3WebAssembly(timeoutMs: number): Promise<Solver> {
  const { init, killThreads, Z3_lbool } = await import('z3-solver').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new SolverError(
      'SOLVER_MISSING',
      'A proof needs the package z3-solver (Z3 as WebAssembly, 35 MB), which is not installed. ' +
        'Install it: npm install --save-dev z3-solver. Or name a program: --solver z3, --solver cvc5.',
    );
  });
  const { Z3, em } = await init();
  Z3.global_param_set('timeout', String(timeoutMs));
  const { major, minor, build_number } = Z3.get_version();

  const asserted = (context: Z3_context, { relations, constants, assertions }: Query) => {
    const site: Z3_sort = Z3.mk_uninterpreted_sort(context, Z3.mk_string_symbol(context, 'Site'));
    const truth = Z3.mk_bool_sort(context);
    const symbols = new Map<string, Z3_func_decl>();
    for (const [name, arity] of Object.entries(relations)) {
      const domain = Array<Z3_sort>(arity).fill(site);
      symbols.set(name, Z3.mk_func_decl(context, Z3.mk_string_symbol(context, name), domain, truth));
    }
    const sites = new Map<Term, Z3_ast>();
    const siteOf = (name: Term): Z3_ast => {
      let known = sites.get(name);
      if (known === undefined) {
        known = Z3.mk_const(context, Z3.mk_string_symbol(context, name), site);
        sites.set(name, known);
      }
      return known;
    };
    for (const name of constants) siteOf(name);
    const built = new Map<Formula, Z3_ast>();
    const build = (formula: Formula): Z3_ast => {
      let known = built.get(formula);
      if (known === undefined) {
        known = make(formula);
        built.set(formula, known);
      }
      return known;
    };
    const make = (formula: Formula): Z3_ast => {
      switch (formula.kind) {
        case 'constant':
          return formula.value ? Z3.mk_true(context) : Z3.mk_false(context);
        case 'atom':
          return Z3.mk_app(context, symbols.get(formula.relation)!, formula.terms.map(siteOf));
        case 'equal':
          return Z3.mk_eq(context, siteOf(formula.left), siteOf(formula.right));
        case 'not':
          return Z3.mk_not(context, build(formula.of));
        case 'and':
          return Z3.mk_and(context, formula.of.map(build));
        case 'or':
          return Z3.mk_or(context, formula.of.map(build));
        case 'iff':
          return Z3.mk_eq(context, build(formula.left), build(formula.right));
        case 'if':
          return Z3.mk_ite(context, build(formula.condition), build(formula.then), build(formula.otherwise));
        case 'exists':
          return Z3.mk_exists_const(context, 0, bound(formula.variables), [], build(formula.of));
      }
    };
    const bound = (variables: readonly Term[]) => variables.map((name) => Z3.to_app(context, siteOf(name)));
    return assertions.map(({ variables, holds }) => {
      const body = build(holds);
      return variables.length === 0 ? body : Z3.mk_forall_const(context, 0, bound(variables), [], body);
    });
  };

  return {
    name: `Z3 ${major}.${minor}.${build_number} (WebAssembly)`,
    async ask(query) {
      const config = Z3.mk_config();
      const context = Z3.mk_context(config);
      Z3.del_config(config);
      try {
        const solver = Z3.mk_simple_solver(context);
        Z3.solver_inc_ref(context, solver);
        for (const assertion of asserted(context, query)) Z3.solver_assert(context, solver, assertion);

        const answer = await Z3.solver_check(context, solver);

        Z3.solver_dec_ref(context, solver);
        if (answer === Z3_lbool.Z3_L_FALSE) return 'unsat';
        return answer === Z3_lbool.Z3_L_TRUE ? 'sat' : 'unknown';
      } finally {
        Z3.del_context(context);
      }
    },
    close: () => killThreads(em),
  };
}

/** A process for each query, which reads SMT-LIB; one line of its output must be the answer, and nothing else. */
async function program(file: string, version: readonly string[], args: readonly string[]): Promise<Solver> {
  const name = (await run(file, version, '')).split('\n')[0]!.trim();
  return {
    name,
    async ask(query) {
      const said = (await run(file, args, smtLib(query))).trim();
      if (said === 'unsat' || said === 'sat') return said;
      if (said === 'unknown' || said === 'timeout' || said.includes('interrupted by timeout'))
        return 'unknown';
      throw new SolverError('SOLVER_FAILED', `Expected sat, unsat or unknown from ${file}, and got: ${said}`);
    },
    close: async () => {},
  };
}

function run(file: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') return reject(error);
      reject(
        new SolverError(
          'SOLVER_MISSING',
          `Expected the program ${file} on the PATH. Debian: apt install ${file}.`,
        ),
      );
    });
    child.on('close', () => resolve(said));
    // A program that ends before it has read all of its input has said why.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error);
    });
    child.stdin.end(input);
  });
}
