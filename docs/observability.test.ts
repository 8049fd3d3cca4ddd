import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { BatonProcess } from '../cli/testing/baton.ts';
import { metrics } from '../runtime/observe/metrics.ts';
import { freePorts } from '../runtime/testing/free-ports.ts';

/* Every command of observability.md is run as it stands there, and its tables are those of the code. */

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/observability.md'), 'utf8');
const telemetry = ['channels', 'telemetry'].map((file) =>
  readFileSync(join(root, `runtime/observe/${file}.ts`), 'utf8'),
);
const blocks = [...page.matchAll(/^```(sh|ts)\n(.*?)^```$/gms)].map(([, kind, text]) => ({
  kind,
  text: text!,
}));

function rowsUnder(heading: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading))!;
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  return rows.slice(1).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

it('has the table of the metrics', () => {
  const wanted = Object.values(metrics).map(({ name, kind, unit, description, attributes }) => [
    `\`${name}\``,
    kind,
    `\`${unit}\``,
    description,
    attributes.map((attribute) => `\`${attribute}\``).join(', '),
  ]);
  expect(rowsUnder('Metrics')).toEqual(wanted);
});

it('names every channel and every span', () => {
  const names = (rows: string[][]) => rows.map(([name]) => name!.replaceAll('`', '')).sort();
  const channels = [...telemetry[0]!.matchAll(/(tracingChannel|channel)(?:<[^(]*>)?\('(baton:[a-z]+)'\)/g)];
  const wanted = channels.map(([, kind, name]) => (kind === 'channel' ? name! : `tracing:${name}:*`));
  expect(wanted.length).toBe(7);
  expect(names(rowsUnder('Channels'))).toEqual(wanted.sort());
  const spans = [...telemetry[1]!.matchAll(/#span\('(baton\.[a-z]+)'/g)].map(([, name]) => name!);
  expect(names(rowsUnder('Spans'))).toEqual([...new Set(spans)].sort());
});

it('starts sites and asks them as it says', async () => {
  const [starts, asks] = blocks.filter(({ kind }) => kind === 'sh').map(({ text }) => text.trim());
  const ports = await freePorts(4);
  const here = (text: string) => text.replaceAll(/400([1-4])/g, (_, n) => String(ports[Number(n) - 1]));
  const sites = starts!.split('\n').map((command) => {
    const [npx, baton, ...words] = here(command).split(' ');
    expect([npx, baton]).toEqual(['npx', 'baton']);
    return new BatonProcess(words);
  });
  for (const site of sites) await site.hear(/^metrics and health at /);
  for (const site of sites) await site.hear(/ is up$/);
  const paths: string[] = [];
  for (const command of asks!.split('\n')) {
    const [curl, url] = here(command).split(' ');
    expect(curl).toBe('curl');
    const answered = await fetch(url!);
    expect(answered.status, url).toBe(200);
    expect(await answered.text()).toMatch(
      url!.endsWith('/metrics') ? /^baton_lock_grants_total\{/m : /"status":"(ok|live)"/,
    );
    paths.push(new URL(url!).pathname);
  }
  expect(rowsUnder('`baton site').map(([path]) => path)).toEqual(paths.map((path) => `\`${path}\``));
  for (const site of sites) site.type('quit');
  for (const site of sites) expect(await site.end()).toMatchObject({ status: 0 });
});

it('logs by pino as it says', async () => {
  const [program] = blocks.filter(({ kind }) => kind === 'ts').map(({ text }) => text);
  const [port] = await freePorts(1);
  const cwd = mkdtempSync(join(tmpdir(), 'baton-observability-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'));
    const text = program!
      .replace("'batonlock'", JSON.stringify(join(root, 'runtime/index.ts')))
      .replace('4001', String(port));
    writeFileSync(join(cwd, 'site.mts'), text);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), 'site.mts'],
      { cwd },
    );
    const lines = stdout.trim().split('\n');
    expect(lines).toContain('inside');
    const [, listening] = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    expect(listening).toMatchObject({
      cluster: 'billing',
      site: 'a',
      event: 'listening',
      msg: `listens on 127.0.0.1:${port}`,
    });
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
