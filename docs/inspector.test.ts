import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { BatonProcess } from '../cli/testing/baton.ts';
import { sharedBaton as baton } from '../cli/testing/shared-baton.ts';
import type { LiveFrame, Sources } from '../inspector/protocol.ts';
import { freePorts } from '../runtime/testing/free-ports.ts';

/* Every command of docs/inspector.md is run as it stands there. */

const page = readFileSync(join(import.meta.dirname, 'inspector.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text!.trim().split('\n'));

/** The words after `npx baton` in each line, with ports of its own and a directory of its own. */
function commands(lines: readonly string[], ports: readonly number[], dir: string): string[][] {
  const numbers = [...new Set(lines.join(' ').match(/\b4[78]?\d\d\d?\b/g))];
  return lines.map((line) => {
    const [npx, name, ...words] = line.split(' ');
    expect([npx, name]).toEqual(['npx', 'baton']);
    return words.map((word) =>
      word
        .replace(/\b4\d{3}\b/g, (port) => String(ports[numbers.indexOf(port)]))
        .replace(/^report\.json$/, join(dir, 'report.json')),
    );
  });
}

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'baton-docs-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function served(words: readonly string[]): Promise<string> {
  const inspecting = new BatonProcess([...words, '--port', '0']);
  return inspecting.hear(/^http:\/\/127\.0\.0\.1:\d+\/$/);
}

const sourcesAt = async (url: string) => (await (await fetch(`${url}api/sources`)).json()) as Sources;

describe('docs/inspector.md', () => {
  it('tells how a report is shown', async () => {
    const [verify, inspect] = commands(blocks[0]!, [], directory());
    expect((await baton(...verify!)).status).toBe(1);
    const { sources } = await sourcesAt(await served(inspect!));
    expect(sources[0]).toMatchObject({ id: 'mutual-exclusion', verdict: 'violated' });
  });

  it('tells how a running cluster is watched', async () => {
    const lines = commands(blocks[1]!, await freePorts(4), directory());
    expect(lines.map(([verb]) => verb)).toEqual(['site', 'site', 'inspect']);
    const sites = lines.slice(0, 2).map((words) => new BatonProcess(words));
    for (const site of sites) {
      await site.hear(/^baton inspect --attach ws:/);
      site.type('request');
      site.type('release');
    }
    for (const site of sites) await site.hear(/^released$/);
    const url = new URL(await served(lines[2]!));
    const socket = new WebSocket(`ws://${url.host}/api/live`, { origin: url.origin });
    onTestFinished(() => socket.terminate());
    const told = new Set<string>();
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as LiveFrame;
      const steps = frame.type === 'whole' ? frame.timeline.steps : frame.steps;
      for (const { text } of steps) told.add(text);
    });
    await expect.poll(() => told.has('a is seen') && told.has('b is seen'), { timeout: 10_000 }).toBe(true);
    sites[0]!.type('request');
    await expect.poll(() => told.has('a: ask') || told.has('a: try'), { timeout: 10_000 }).toBe(true);
  });

  it('shows only pictures that there are', () => {
    const pictures = [...page.matchAll(/\]\((images\/[\w.-]+)\)/g)].map(([, path]) => path!);
    expect(pictures.length).toBeGreaterThanOrEqual(9);
    for (const path of pictures) expect(existsSync(join(import.meta.dirname, path)), path).toBe(true);
  });

  it('names only commands and options that exist', async () => {
    const { stdout } = await baton('--help');
    const verbs = [...page.matchAll(/`baton ([a-z]+)/g)].map(([, verb]) => verb!);
    expect(verbs.length).toBeGreaterThan(8);
    for (const verb of new Set(verbs)) expect(stdout).toContain(`\n  ${verb} `);
    const helps = await Promise.all(
      ['inspect', 'explore', 'site', 'demo', 'verify'].map(
        async (verb) => (await baton(verb, '--help')).stdout,
      ),
    );
    const options = [...page.matchAll(/(?<=[` ])--[a-z][a-z-]+/g)].map(([option]) => option);
    const ofNode = ['--import'];
    for (const option of new Set(options.filter((one) => !ofNode.includes(one)))) {
      expect(helps.join('\n')).toContain(option);
    }
  });
});
