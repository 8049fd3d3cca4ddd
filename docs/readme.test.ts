import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BatonProcess, baton } from '../cli/testing/baton.ts';
import { sharedBaton } from '../cli/testing/shared-baton.ts';
import { joinCluster } from '../runtime/index.ts';
import { freePorts } from '../runtime/testing/free-ports.ts';

/* Every command of the README is run as it stands there, and what it is shown to print it must print. */

const root = join(import.meta.dirname, '..');
const tsx = import.meta.resolve('tsx');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');
const scripts = JSON.parse(read('package.json')).scripts as Readonly<Record<string, string>>;

const shown = [...readme.matchAll(/^```console\n\$ ([^\n]*)\n(.*?)^```$/gms)].map(([, command, output]) => ({
  command: command!,
  lines: output!.split('\n').filter((line) => line !== ''),
}));

/** The words after `baton` in a command; `npm start` is a short demo here. */
function wordsOf(command: string): string[] {
  if (command === 'npm start') {
    expect(scripts['start']).toBe('node cli/baton.mjs demo');
    return ['demo', '--seconds', '3'];
  }
  const [npx, name, ...words] = command.split(' ');
  expect([npx, name]).toEqual(['npx', 'baton']);
  return words;
}

/** Without what differs from run to run: times, and for the demo every number but those that are the verdict. */
function steady(line: string, command: string): string {
  const timeless = line.replace(/[0-9.]+ s\b/g, '# s');
  const verdict = /^(overlaps|model,)/.test(line);
  return command === 'npm start' && !verdict ? timeless.replace(/[0-9][0-9,.]*/g, '#') : timeless;
}

describe('README', () => {
  it.each(shown)('$command prints what is shown', async ({ command, lines }) => {
    const { status, stdout } = await baton(...wordsOf(command));
    const printed = stdout.split('\n').map((line) => steady(line, command));
    let from = 0;
    for (const line of lines) {
      const at = printed.indexOf(steady(line, command), from);
      expect(at, `${line}\n\nafter line ${from} of\n\n${stdout}`).toBeGreaterThanOrEqual(from);
      from = at + 1;
    }
    expect(status).toBe(lines.some((line) => line.startsWith('violated')) ? 1 : 0);
  });

  it('shows a run, a violation and a check', () => expect(shown.length).toBeGreaterThanOrEqual(3));

  it('tells how three sites take turns by hand', async () => {
    const [, block] = /^```sh\n(npx baton site.*?)^```$/ms.exec(readme)!;
    const ports = await freePorts(3);
    const commands = block!
      .trim()
      .replaceAll(/400([123])/g, (_, n) => String(ports[Number(n) - 1]))
      .split('\n');
    const sites = commands.map((command) => new BatonProcess(wordsOf(command)));
    expect(sites).toHaveLength(3);
    for (const command of ['request', 'status', 'release']) {
      for (const site of sites) site.type(command);
    }
    for (const site of sites) {
      await site.hear(/^the token is here: in the critical section, under fence /);
      await site.hear(/^released$/);
    }
    for (const site of sites) site.type('quit');
    for (const site of sites) expect(await site.end()).toMatchObject({ status: 0 });
  });

  it('begins with a file that runs alone, and three times at once', { timeout: 60_000 }, async () => {
    expect(readme).toContain('npm install batonlock\n');
    const [, block] = /^```js\n(\/\/ lock\.mjs\n.*?)^```$/ms.exec(readme)!;
    const ports = await freePorts(3);
    const cwd = mkdtempSync(join(tmpdir(), 'baton-readme-'));
    const program = block!
      .replace("'batonlock'", JSON.stringify(join(root, 'runtime/index.ts')))
      .replaceAll(/410([123])/g, (_, n) => String(ports[Number(n) - 1]));
    writeFileSync(join(cwd, 'lock.mjs'), program);
    const children: ChildProcess[] = [];
    const hear = (words: readonly string[], times: number) => {
      const child = spawn(process.execPath, ['--import', tsx, 'lock.mjs', ...words], { cwd, stdio: 'pipe' });
      children.push(child);
      return new Promise<string>((resolve, reject) => {
        let said = '';
        child.stdout.on('data', (chunk) => {
          said += chunk;
          if (said.split('\n').length > times) resolve(said);
        });
        child.stderr.on('data', (chunk) => reject(new Error(`it is not silent: ${chunk}`)));
      });
    };
    try {
      expect(await hear([], 2)).toMatch(
        /^a is inside, under fence \{ generation: \d{13}, epoch: 0, k: 1 \}\na .* k: 2 \}$/m,
      );
      children[0]!.kill();
      await new Promise((resolve) => children[0]!.once('exit', resolve));
      const words = [...readme.matchAll(/`node lock\.mjs ([abc] [abc] [abc])`/g)].map(([, ids]) =>
        ids!.split(' '),
      );
      expect(words).toHaveLength(3);
      const all = await Promise.all(words.map((ids) => hear(ids, 2)));
      expect(all.map((said) => said[0])).toEqual(['a', 'b', 'c']);
    } finally {
      for (const child of children) child.kill('SIGKILL');
      rmSync(cwd, { recursive: true });
    }
  });

  it('tells how a service embeds a site', async () => {
    const [, block] = /^```ts\n(import \{ joinCluster.*?)^```$/ms.exec(readme)!;
    const ports = await freePorts(3);
    const program = block!
      .replace("'batonlock'", JSON.stringify(join(root, 'runtime/index.ts')))
      .replaceAll(/400([123])/g, (_, n) => String(ports[Number(n) - 1]));
    const address = (id: string) => ({ host: '127.0.0.1', port: ports['abc'.indexOf(id)]! });
    const peersOf = (id: string) =>
      Object.fromEntries([...'abc'].filter((peer) => peer !== id).map((peer) => [peer, address(peer)]));
    const others = await Promise.all(
      ['b', 'c'].map((site) =>
        joinCluster({ cluster: 'billing', site, listen: address(site), peers: peersOf(site) }),
      ),
    );
    const cwd = mkdtempSync(join(tmpdir(), 'baton-readme-'));
    try {
      writeFileSync(join(cwd, 'site.mts'), program);
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, 'site.mts'], { cwd });
      expect(stdout).toMatch(/^inside, with fence \{ generation: \d{13}, epoch: 0, k: 1 \} false\n$/);
    } finally {
      for (const site of others) await site.close({ graceful: false });
      rmSync(cwd, { recursive: true });
    }
  });

  it('breaks a cluster as it says', async () => {
    const [, command] = /^(npx baton chaos.*)$/m.exec(readme)!;
    const { status, stdout } = await baton(...wordsOf(command!));
    expect(stdout).toMatch(/holds +accepted critical sections do not overlap/);
    expect(status).toBe(0);
  });

  it('names only commands that exist', async () => {
    const { stdout } = await sharedBaton('--help');
    const verbs = [...readme.matchAll(/(?:`|\$ |^)(?:npx )?baton ([a-z]+)/gm)].map(([, verb]) => verb!);
    expect(verbs.length).toBeGreaterThan(2);
    for (const verb of verbs) expect(stdout).toContain(`\n  ${verb} `);
    expect((await sharedBaton('verify', 'sketch')).status).toBe(1);
    expect(Object.keys(scripts)).toContain('test');
  });
});
