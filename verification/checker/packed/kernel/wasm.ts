/**
 * A small assembler for WebAssembly. Expressions are nested arrays of bytes, and branches name their label.
 */
export type Code = readonly Node[];
type Node = number | Code | Branch | Scope;
interface Branch {
  readonly opcode: number;
  readonly label: Label;
}
interface Scope {
  readonly opcode: number;
  readonly label: Label;
  readonly body: Code;
  readonly otherwise?: Code;
}
/** The destination of a branch: the end of a block, or the start of a loop. */
export type Label = object;

export type ValueType = 'i32' | 'i64' | 'v128';
const typeByte: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, v128: 0x7b };

export interface Local {
  readonly get: Code;
  set(value: Code): Code;
  tee(value: Code): Code;
}

function unsigned(value: number): number[] {
  const bytes = [];
  let rest = value >>> 0;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function signed(value: bigint): number[] {
  const bytes = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const unary =
  (opcode: number) =>
  (a: Code): Code => [a, opcode];
const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [a, b, opcode];
/** A load. `offset` is a constant that is added to the address. */
const load =
  (opcode: number, align = 0) =>
  (address: Code, offset = 0): Code => [address, opcode, align, unsigned(offset)];
const store =
  (opcode: number, align = 0) =>
  (address: Code, value: Code, offset = 0): Code => [address, value, opcode, align, unsigned(offset)];

export const i32 = {
  const: (value: number): Code => [0x41, signed(BigInt(value | 0))],
  load: load(0x28, 2),
  store: store(0x36, 2),
  eqz: unary(0x45),
  eq: binary(0x46),
  ne: binary(0x47),
  ltU: binary(0x49),
  gtU: binary(0x4b),
  geU: binary(0x4f),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  xor: binary(0x73),
  shl: binary(0x74),
  shrU: binary(0x76),
  divU: binary(0x6e),
  wrap: unary(0xa7),
  atomicStore: (address: Code, value: Code, offset = 0): Code => [
    address,
    value,
    0xfe,
    0x17,
    2,
    unsigned(offset),
  ],
  atomicCompareExchange: (address: Code, expected: Code, value: Code, offset = 0): Code => [
    address,
    expected,
    value,
    0xfe,
    0x48,
    2,
    unsigned(offset),
  ],
};

export const i64 = {
  const: (value: bigint): Code => [0x42, signed(BigInt.asIntN(64, value))],
  load: load(0x29),
  load32: load(0x35),
  store: store(0x37),
  store32: store(0x3e),
  eqz: unary(0x50),
  eq: binary(0x51),
  ne: binary(0x52),
  ltU: binary(0x54),
  add: binary(0x7c),
  sub: binary(0x7d),
  mul: binary(0x7e),
  divU: binary(0x80),
  and: binary(0x83),
  or: binary(0x84),
  xor: binary(0x85),
  shl: binary(0x86),
  shrU: binary(0x88),
  extend: unary(0xad),
};

export const v128 = {
  load: (address: Code, offset = 0): Code => [address, 0xfd, 0x00, 0, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0xfd, 0x0b, 0, unsigned(offset)],
  addI32: (a: Code, b: Code): Code => [a, b, 0xfd, 0xae, 0x01],
  laneI64: (a: Code, lane: 0 | 1): Code => [a, 0xfd, 0x1d, lane],
};

/** `then` when `condition` is not 0, else `otherwise`. Both are evaluated. */
export const select = (then: Code, otherwise: Code, condition: Code): Code => [
  then,
  otherwise,
  condition,
  0x1b,
];
export const copyMemory = (to: Code, from: Code, bytes: Code): Code => [to, from, bytes, 0xfc, 0x0a, 0, 0];
export const clearMemory = (at: Code, bytes: Code): Code => [at, i32.const(0), bytes, 0xfc, 0x0b, 0];

export const block = (body: (end: Label) => Code): Code => scope(0x02, body);
export const loop = (body: (start: Label) => Code): Code => scope(0x03, body);
function scope(opcode: number, body: (label: Label) => Code): Code {
  const label = {};
  return [{ opcode, label, body: body(label) }];
}
export const when = (condition: Code, body: Code, otherwise?: Code): Code => [
  condition,
  { opcode: 0x04, label: {}, body, ...(otherwise && { otherwise }) },
];
export const branch = (label: Label): Code => [{ opcode: 0x0c, label }];
export const branchIf = (condition: Code, label: Label): Code => [condition, { opcode: 0x0d, label }];
export const leave = (value: Code): Code => [value, 0x0f];
export const drop = (value: Code): Code => [value, 0x1a];

/** One function under construction. Its locals are created on demand. */
export class FunctionBuilder {
  readonly index: number;
  readonly parameters: ValueType[];
  readonly result: ValueType | null;
  readonly locals: ValueType[] = [];
  body: Code = [];

  constructor(index: number, parameters: ValueType[], result: ValueType | null) {
    this.index = index;
    this.parameters = parameters;
    this.result = result;
  }

  parameter(position: number): Local {
    return variable(position);
  }

  local(type: ValueType): Local {
    this.locals.push(type);
    return variable(this.parameters.length + this.locals.length - 1);
  }

  call(...args: Code[]): Code {
    return [...args, 0x10, unsigned(this.index)];
  }
}

function variable(index: number): Local {
  const encoded = unsigned(index);
  return {
    get: [0x20, encoded],
    set: (value) => [value, 0x21, encoded],
    tee: (value) => [value, 0x22, encoded],
  };
}

/** A module over one imported shared memory, `env.memory`. Imports come before functions. */
export class ModuleBuilder {
  private readonly functions: {
    readonly name: string;
    readonly imported: boolean;
    readonly builder: FunctionBuilder;
  }[] = [];
  private readonly pages: number;

  constructor(pages: number) {
    this.pages = pages;
  }

  import(name: string, parameters: ValueType[], result: ValueType | null): FunctionBuilder {
    return this.declare(name, true, parameters, result);
  }

  function(name: string, parameters: ValueType[], result: ValueType | null): FunctionBuilder {
    return this.declare(name, false, parameters, result);
  }

  private declare(
    name: string,
    imported: boolean,
    parameters: ValueType[],
    result: ValueType | null,
  ): FunctionBuilder {
    const builder = new FunctionBuilder(this.functions.length, parameters, result);
    this.functions.push({ name, imported, builder });
    return builder;
  }

  build(): Uint8Array<ArrayBuffer> {
    const imports = this.functions.filter((f) => f.imported);
    const own = this.functions.filter((f) => !f.imported);
    const section = (id: number, items: number[][]) => {
      const content = [...unsigned(items.length), ...items.flat()];
      return [id, ...unsigned(content.length), ...content];
    };
    return Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(
        1,
        this.functions.map(({ builder }) => [
          ...[0x60, builder.parameters.length, ...builder.parameters.map((type) => typeByte[type])],
          ...(builder.result === null ? [0] : [1, typeByte[builder.result]]),
        ]),
      ),
      ...section(2, [
        [...text('env'), ...text('memory'), 0x02, 0x03, ...unsigned(this.pages), ...unsigned(this.pages)],
        ...imports.map(({ name, builder }) => [
          ...text('env'),
          ...text(name),
          0x00,
          ...unsigned(builder.index),
        ]),
      ]),
      ...section(
        3,
        own.map(({ builder }) => unsigned(builder.index)),
      ),
      ...section(
        7,
        own.map(({ name, builder }) => [...text(name), 0x00, ...unsigned(builder.index)]),
      ),
      ...section(
        10,
        own.map(({ builder }) => functionBody(builder)),
      ),
    ]);
  }
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
}

function functionBody(builder: FunctionBuilder): number[] {
  const code: number[] = [];
  flatten(builder.body, [], code);
  const locals = builder.locals.flatMap((type) => [1, typeByte[type]]);
  const content = [...unsigned(builder.locals.length), ...locals, ...code, 0x0b];
  return [...unsigned(content.length), ...content];
}

function flatten(code: Code, scopes: readonly Label[], out: number[]): void {
  for (const node of code) {
    if (typeof node === 'number') out.push(node);
    else if ('length' in node) flatten(node, scopes, out);
    else if ('body' in node) {
      const inner = [node.label, ...scopes];
      out.push(node.opcode, 0x40);
      flatten(node.body, inner, out);
      if (node.otherwise) {
        out.push(0x05);
        flatten(node.otherwise, inner, out);
      }
      out.push(0x0b);
    } else {
      out.push(node.opcode, ...unsigned(scopes.indexOf(node.label)));
    }
  }
}
