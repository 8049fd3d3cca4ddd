import { LivenessError } from './errors.ts';

/** Linear temporal logic over named atoms (A. Pnueli, "The temporal logic of programs", 1977). */
export type Formula =
  | { readonly op: 'true' | 'false' }
  | { readonly op: 'atom'; readonly name: string; readonly column: number }
  | { readonly op: Unary; readonly of: Formula }
  | { readonly op: Binary; readonly left: Formula; readonly right: Formula };

export type Unary = 'not' | 'next' | 'always' | 'eventually';
export type Binary = 'and' | 'or' | 'implies' | 'iff' | 'until' | 'release' | 'weakUntil';

interface Token {
  readonly kind: 'symbol' | 'name' | 'end';
  readonly text: string;
  readonly column: number;
}

const UNARY: Readonly<Record<string, Unary>> = {
  '!': 'not',
  X: 'next',
  G: 'always',
  '[]': 'always',
  F: 'eventually',
  '<>': 'eventually',
};

/** The binary operators, from loosest to tightest. */
const BINARY: readonly {
  readonly symbols: Readonly<Record<string, Binary>>;
  readonly groups: 'left' | 'right';
}[] = [
  { symbols: { '<->': 'iff' }, groups: 'left' },
  { symbols: { '->': 'implies' }, groups: 'right' },
  { symbols: { '|': 'or', '||': 'or' }, groups: 'left' },
  { symbols: { '&': 'and', '&&': 'and' }, groups: 'left' },
  { symbols: { U: 'until', R: 'release', W: 'weakUntil' }, groups: 'right' },
];

/**
 * Parses a formula. From loosest to tightest: `<->`, `->`, `|`, `&`, `U R W`, then `! X F G`. `->`, `U`, `R`
 * and `W` group to the right. A name consists of letters, digits, `_`, `$` and `.`, or is any text between
 * double quotes.
 *
 * @throws LivenessError `FORMULA_SYNTAX`, with the column.
 */
export function parseFormula(text: string): Formula {
  const tokens = tokenize(text);
  let at = 0;

  const binary = (level: number): Formula => {
    const operators = BINARY[level];
    if (operators === undefined) return unary();
    let left = binary(level + 1);
    for (;;) {
      const { kind, text: symbol } = tokens[at]!;
      const op =
        kind === 'symbol' && Object.hasOwn(operators.symbols, symbol) ? operators.symbols[symbol] : undefined;
      if (op === undefined) return left;
      at++;
      const right = binary(operators.groups === 'right' ? level : level + 1);
      left = { op, left, right };
    }
  };

  const unary = (): Formula => {
    const token = tokens[at++]!;
    if (token.kind === 'name') return { op: 'atom', name: token.text, column: token.column };
    if (token.text === 'true' || token.text === 'false') return { op: token.text };
    if (token.text === '(') {
      const inner = binary(0);
      expect(tokens[at++]!, ')');
      return inner;
    }
    const op = token.kind === 'symbol' && Object.hasOwn(UNARY, token.text) ? UNARY[token.text] : undefined;
    if (op === undefined) throw unexpected(token, 'an atom, true, false, !, X, F, G or (');
    return { op, of: unary() };
  };

  const formula = binary(0);
  expect(tokens[at]!, '');
  return formula;
}

const TOKEN =
  /\s*(?:(?<symbol><->|->|&&|\|\||\[\]|<>|[!&|()])|"(?<quoted>[^"]*)"|(?<name>[\p{L}_$][\p{L}\p{N}_$.]*))/uy;
const RESERVED = new Set(['true', 'false', 'X', 'F', 'G', 'U', 'R', 'W']);

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      const column = from + text.slice(from).search(/\S/) + 1;
      throw unexpected(
        { kind: 'symbol', text: text[column - 1]!, column },
        'an operator or the name of an atom',
      );
    }
    const { symbol, quoted, name } = match.groups!;
    const column = from + match[0].search(/\S/) + 1;
    if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol, column });
    else if (quoted !== undefined) tokens.push({ kind: 'name', text: quoted, column });
    else tokens.push({ kind: RESERVED.has(name!) ? 'symbol' : 'name', text: name!, column });
  }
  tokens.push({ kind: 'end', text: '', column: end + 1 });
  return tokens;
}

function expect(token: Token, text: ')' | ''): void {
  if (text === '' ? token.kind === 'end' : token.kind === 'symbol' && token.text === text) return;
  throw unexpected(token, text === '' ? 'an operator or the end' : `${text} or an operator`);
}

function unexpected(token: Token, expected: string): LivenessError {
  const found = token.kind === 'end' ? 'the end' : `"${token.text}"`;
  return new LivenessError(
    'FORMULA_SYNTAX',
    `The formula cannot be read: expected ${expected}, found ${found} at column ${token.column}.`,
    token.column,
  );
}
