import * as z from 'zod';
import { clusterSchema } from '../../runtime/options/schema.ts';
import { inner, keysOf, schemaAt } from '../../runtime/options/walk.ts';
import { aboutKey, doesOf, flagName, groupOf, keys } from './keys.ts';

/** Every key of `joinCluster` and of `baton site`, as the table of docs/configuration.md. */
export function configurationTable(): string {
  const lines = [
    '| key | what it is for | what it may be | default | variable | flag |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows().map((cells) => `| ${cells.join(' | ')} |`),
  ];
  return `${lines.join('\n')}\n`;
}

function rows(): string[][] {
  const ofSchema = leaves([]);
  const more = keys.map(({ path }) => path).filter((path) => !ofSchema.includes(path));
  return [...ofSchema, ...more].map((path) => {
    const key = keys.find((known) => known.path === path);
    const known = ofSchema.includes(path) ? aboutKey(path) : null;
    const group = ofSchema.includes(path) ? groupOf(path) : null;
    return [
      code(path),
      doesOf(path),
      known?.is ?? 'a file is a path',
      String(
        known?.otherwise ??
          group?.otherwise ??
          (ofSchema.includes(path) && isNeeded(path) ? 'must be given' : ''),
      ),
      key === undefined ? '' : code(key.variable),
      key?.flag === undefined ? '' : code(flagName(key.flag)),
    ];
  });
}

/** The keys that stand for themselves, below `path`. */
function leaves(path: readonly string[]): string[] {
  const schema = schemaAt(clusterSchema, path);
  const whole = !(schema instanceof z.ZodObject) || path[0] === 'listen';
  return whole ? [path.join('.')] : keysOf(schema).flatMap((key) => leaves([...path, key]));
}

function isNeeded(path: string): boolean {
  const field = clusterSchema.shape[path as keyof typeof clusterSchema.shape];
  return field !== undefined && inner(field) === field;
}

function code(text: string): string {
  return `\`${text}\``;
}
