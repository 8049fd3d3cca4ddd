import { type ExitStatus, exitStatus } from '../exit.ts';
import { remark } from '../output.ts';
import { keys } from './keys.ts';
import { configure } from './settings.ts';

export interface PrintOptions extends Readonly<Record<string, unknown>> {
  readonly json?: boolean;
}

/** `baton config`: prints the options that a site would be started with, and the source of each. */
export function printConfiguration(options: PrintOptions): ExitStatus {
  const { given, doubts } = configure(options, process.env);
  for (const doubt of doubts) remark(doubt);
  const hidden = new Set(keys.filter((key) => key.hidden).map(({ path }) => path));
  const rows = [...given].map(([path, { value, from }]) => ({
    path,
    value: hidden.has(path) ? 'hidden' : value,
    from,
  }));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return exitStatus.held;
  }
  const texts = rows.map(({ path, value, from }) => [path, text(value), from] as const);
  const widths = [0, 1].map((column) => Math.max(...texts.map((row) => row[column]!.length)));
  for (const row of texts)
    process.stdout.write(`${row[0].padEnd(widths[0]!)}  ${row[1].padEnd(widths[1]!)}  ${row[2]}\n`);
  return exitStatus.held;
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  if ('host' in value && 'port' in value) return `${value.host}:${value.port}`;
  return Object.entries(value)
    .map(([id, at]) => `${id}=${text(at)}`)
    .join(',');
}
