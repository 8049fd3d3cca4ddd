import { type Automaton, linksTo, type Reading } from '../reading.ts';
import type { Table } from '../table.ts';
import { tableOf } from './tables-in-c.ts';

/** A predicate over all actors as a function of C, `NAME()`, with its tables. `links`: the channels that exist, as links of the table. */
export function readingInC(
  name: string,
  { actors, whole }: Reading,
  table: Table,
  links: readonly number[],
): readonly string[] {
  const lines: string[] = [];
  const seen: string[] = [];
  for (const [index, automaton] of actors.entries()) {
    const actor = table.actors[index]!.name;
    lines.push(...automatonInC(`${name}_${actor}`, automaton));
    const next = (symbol: string) => `if (node >= 0) node = ${name}_${actor}_next(node, ${symbol});`;
    lines.push(
      `  static int ${name}_sees_${actor}(void) {`,
      `    int i, node = ${automaton.start};`,
      `    ${next(`now.${actor}`)}`,
      ...linksTo(table, index).flatMap((link) => {
        const channel = links.indexOf(link);
        return [
          `    for (i = 0; node >= 0 && i < len_of(${channel}); i++) node = ${name}_${actor}_next(node, at(${channel}, i) + 1);`,
          `    ${next('0')}`,
        ];
      }),
      '    return -1 - node;',
      '  }',
    );
    seen.push(`${name}_sees_${actor}()`);
  }
  if (table.history !== null) seen.push('now.history');
  return [
    ...lines,
    ...automatonInC(name, whole),
    `  static int ${name}(void) {`,
    `    int node = ${whole.start};`,
    ...seen.map((symbol) => `    if (node >= 0) node = ${name}_next(node, ${symbol});`),
    '    return -1 - node;',
    '  }',
  ];
}

/** The edges of a node stand in order of their symbols, from the first one of the node to the first one of the next. */
function automatonInC(name: string, { nodes }: Automaton): readonly string[] {
  const first: number[] = [0];
  for (const edges of nodes) first.push(first.at(-1)! + edges.size);
  const edges = nodes.flatMap((node) => [...node]);
  return [
    ...tableOf('int', `${name}_first`, first),
    ...tableOf('int', `${name}_on`, edges.length === 0 ? [0] : edges.map(([symbol]) => symbol)),
    ...tableOf('int', `${name}_to`, edges.length === 0 ? [0] : edges.map(([, to]) => to)),
    `  static int ${name}_next(int node, int symbol) {`,
    `    int low = ${name}_first[node], high = ${name}_first[node + 1];`,
    '    while (low < high) {',
    '      int middle = (low + high) / 2;',
    `      if (${name}_on[middle] == symbol) return ${name}_to[middle];`,
    `      if (${name}_on[middle] < symbol) low = middle + 1; else high = middle;`,
    '    }',
    '    missing();',
    '    return -1;',
    '  }',
  ];
}
