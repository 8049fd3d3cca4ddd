/** Lines of cells, with the first column left-aligned. A line of two cells is a name and a remark. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const full = lines.filter(({ length }) => length > 2);
  const widths = full[0]!.map((_, column) => Math.max(...full.map((line) => line[column]!.length)));
  widths[0] = Math.max(...lines.map(([name]) => name!.length));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(line.length > 2 ? widths[column]! : 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
