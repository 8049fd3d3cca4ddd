/** SPIN takes no c_code of more text. */
export const nextBlock = ['}', 'c_code {'];
/** Characters of a table that stands in a block with others. SPIN takes 65,536 for a block. */
const longestTable = 4_000;

/** A table of numbers, or of rows of numbers, in C. A long one is put together at the start, from parts that each have a block. */
export function tableOf(
  type: 'char' | 'short' | 'int',
  name: string,
  rows: readonly (number | readonly number[])[],
): string[] {
  const entries = rows.map((row) => (typeof row === 'number' ? String(row) : `{${row}}`));
  const columns = typeof rows[0] === 'object' ? `[${rows[0].length}]` : '';
  if (entries.join().length <= longestTable)
    return [`  static const ${type} ${name}[]${columns} = { ${entries} };`];
  const lines = [...nextBlock, `  static ${type} ${name}[${entries.length}]${columns};`];
  let from = 0;
  while (from < entries.length) {
    let [to, length] = [from, 0];
    while (to < entries.length && (to === from || length + entries[to]!.length < longestTable)) {
      length += entries[to]!.length + 1;
      to += 1;
    }
    lines.push(
      ...nextBlock,
      `  static void __attribute__((constructor)) fill_${name}_${from}(void) {`,
      `    static const ${type} part[]${columns} = { ${entries.slice(from, to)} };`,
      `    __builtin_memcpy(${name} + ${from}, part, sizeof part);`,
      '  }',
    );
    from = to;
  }
  return [...lines, ...nextBlock];
}
