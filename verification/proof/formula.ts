/** A variable, or a constant: a site. There is one sort and there are no function symbols. */
export type Term = string;

/**
 * A formula over relations between sites. `exists` binds a variable in a formula that names no other bound site, so that a formula about
 * named sites stays a combination of purely existential ones, and negations of them.
 */
export type Formula =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'atom'; readonly relation: string; readonly terms: readonly Term[] }
  | { readonly kind: 'equal'; readonly left: Term; readonly right: Term }
  | { readonly kind: 'not'; readonly of: Formula }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Formula[] }
  | { readonly kind: 'iff'; readonly left: Formula; readonly right: Formula }
  | { readonly kind: 'if'; readonly condition: Formula; readonly then: Formula; readonly otherwise: Formula }
  | { readonly kind: 'exists'; readonly variables: readonly Term[]; readonly of: Formula };

/**
 * `holds`, for every choice of sites for `variables`; with variables, it has no `exists`. A query asserts nothing else, so it lies in
 * the Bernays–Schönfinkel class (EPR, exists* forall*): satisfiability is decidable, and a satisfiable query has a finite model.
 */
export interface Assertion {
  readonly variables: readonly Term[];
  readonly holds: Formula;
}

/** A question to a solver: are there sites and relations with which all assertions hold? */
export interface Query {
  /** Names and arities. */
  readonly relations: Readonly<Record<string, number>>;
  readonly constants: readonly Term[];
  readonly assertions: readonly Assertion[];
}

export const yes: Formula = { kind: 'constant', value: true };
export const no: Formula = { kind: 'constant', value: false };

export const atom = (relation: string, ...terms: readonly Term[]): Formula => ({
  kind: 'atom',
  relation,
  terms,
});

export function equal(left: Term, right: Term): Formula {
  return left === right ? yes : { kind: 'equal', left, right };
}

export const differ = (left: Term, right: Term): Formula => not(equal(left, right));

export function not(of: Formula): Formula {
  if (of.kind === 'constant') return of.value ? no : yes;
  return of.kind === 'not' ? of.of : { kind: 'not', of };
}

export const and = (...of: readonly Formula[]): Formula => joined('and', of, no);
export const or = (...of: readonly Formula[]): Formula => joined('or', of, yes);

/** `absorbing` makes the whole equal to itself; its opposite adds nothing. */
function joined(kind: 'and' | 'or', of: readonly Formula[], absorbing: Formula): Formula {
  if (of.includes(absorbing)) return absorbing;
  const neutral = not(absorbing);
  const parts = of.filter((part) => part !== neutral);
  if (parts.length === 0) return neutral;
  return parts.length === 1 ? parts[0]! : { kind, of: parts };
}

export const implies = (left: Formula, right: Formula): Formula => or(not(left), right);

export const iff = (left: Formula, right: Formula): Formula => ({ kind: 'iff', left, right });

export function choose(condition: Formula, then: Formula, otherwise: Formula): Formula {
  if (condition.kind === 'constant') return condition.value ? then : otherwise;
  return then === otherwise ? then : { kind: 'if', condition, then, otherwise };
}

/** Some sites make `holds` true. Its parameters are the variables; `exists` must not stand in `exists`. */
export function exists(holds: (...variables: Term[]) => Formula): Formula {
  const variables = Array.from({ length: holds.length }, (_, index) => `some${index}`);
  const of = holds(...variables);
  return of.kind === 'constant' ? of : { kind: 'exists', variables, of };
}

/** An assertion about named sites alone. */
export const fact = (holds: Formula): Assertion => ({ variables: [], holds });

/** `holds` for all sites; its parameters are the variables. */
export function forAll(holds: (...variables: Term[]) => Formula): Assertion {
  const variables = Array.from({ length: holds.length }, (_, index) => `v${index}`);
  return { variables, holds: holds(...variables) };
}

/** The query in SMT-LIB 2.6, as any solver reads it. */
export function smtLib({ relations, constants, assertions }: Query): string {
  return [
    '(set-logic UF)',
    '(declare-sort Site 0)',
    ...Object.entries(relations).map(
      ([name, arity]) => `(declare-fun ${name} (${Array<string>(arity).fill('Site').join(' ')}) Bool)`,
    ),
    ...constants.map((name) => `(declare-const ${name} Site)`),
    ...assertions.map(({ variables, holds }) => {
      const body = text(holds);
      return `(assert ${variables.length === 0 ? body : `(forall ${bound(variables)} ${body})`})`;
    }),
    '(check-sat)',
    '',
  ].join('\n');
}

const bound = (variables: readonly Term[]) => `(${variables.map((name) => `(${name} Site)`).join(' ')})`;

function text(formula: Formula): string {
  switch (formula.kind) {
    case 'constant':
      return String(formula.value);
    case 'atom':
      return formula.terms.length === 0
        ? formula.relation
        : `(${formula.relation} ${formula.terms.join(' ')})`;
    case 'equal':
      return `(= ${formula.left} ${formula.right})`;
    case 'not':
      return `(not ${text(formula.of)})`;
    case 'and':
    case 'or':
      return `(${formula.kind} ${formula.of.map(text).join(' ')})`;
    case 'iff':
      return `(= ${text(formula.left)} ${text(formula.right)})`;
    case 'if':
      return `(ite ${text(formula.condition)} ${text(formula.then)} ${text(formula.otherwise)})`;
    case 'exists':
      return `(exists ${bound(formula.variables)} ${text(formula.of)})`;
  }
}

/** The relations of one state, by name. */
export type Relations<Name extends string> = Readonly<Record<Name, (...sites: Term[]) => Formula>>;

/** The relations of the state before a step, as symbols. */
export function symbols<Name extends string>(arities: Readonly<Record<Name, number>>): Relations<Name> {
  const entries = Object.keys(arities).map((name) => [name, (...sites: Term[]) => atom(name, ...sites)]);
  return Object.fromEntries(entries) as Relations<Name>;
}
