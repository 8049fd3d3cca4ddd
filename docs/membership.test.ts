import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BatonProcess } from '../cli/testing/baton.ts';
import { sharedBaton } from '../cli/testing/shared-baton.ts';
import { type Cluster, joinCluster } from '../runtime/index.ts';
import { freePorts } from '../runtime/testing/free-ports.ts';

/* Every command of docs/membership.md is run as it stands there, and what it shows is compared. */

const page = readFileSync(join(import.meta.dirname, 'membership.md'), 'utf8');
const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text!);

test('docs/membership.md: the members of a running cluster are listed and changed, and it is founded anew', async () => {
  const admin = 'a token of sixteen characters or more';
  const dir = mkdtempSync(join(tmpdir(), 'baton-docs-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const ports = await freePorts(5);
  const at = (site: string) => `127.0.0.1:${ports['abcd'.indexOf(site)]}`;
  const dataDir = (site: string) => join(dir, site);
  const start = (site: string, peers: string, ...more: readonly string[]) =>
    new BatonProcess(
      [
        ...['site', '--cluster', 'orders', '--id', site, '--listen', at(site), '--data-dir', dataDir(site)],
        ...['--peers', [...peers].map((peer) => `${peer}=${at(peer)}`).join(','), ...more],
      ],
      { BATON_ADMIN_TOKEN: admin },
    );
  const [a, b, c] = [start('a', 'bc', '--inspect', `${ports[4]}`), start('b', 'ac'), start('c', 'ab')];
  /** The commands that the page gives for a terminal, as they are run. */
  const lines = blocksOf('sh').flatMap((block) => block.trim().split('\n'));
  const run = new Set<string>();
  const members = async (line: string) => {
    run.add(line);
    const words = line.replace(/^BATON_ADMIN_TOKEN=\.\.\. /, '').replace(':4801/', `:${ports[4]}/`);
    const [name, ...args] = words.split(' ');
    expect(name).toBe('baton');
    const asked = new BatonProcess(args, { BATON_ADMIN_TOKEN: line === words ? undefined : admin });
    return asked.end();
  };
  const command = (word: string) => lines.find((line) => line.includes(` members ${word} `))!;
  /** The answer of site a to a command that the page names. */
  const typed = async (line: string, answer: RegExp) => {
    expect(page).toContain(`\`${line}\``);
    a.type(line);
    await a.hear(answer);
  };
  a.type('request');
  await a.hear(/the token is here/);
  a.type('release');
  await typed('members', /^members \(0, 1\): a, b, c$/);

  const listed = await members(command('list'));
  const header = /^voter +is +wire.*$/m.exec(page)![0].split(/ {2,}/);
  expect(listed.stdout.split('\n')[0]!.split(/ {2,}/)).toEqual(header);
  const row = (site: string) => expect.stringMatching(new RegExp(`^${site} +up +8 +${at(site)} +\\S+$`));
  expect(listed.stdout.split('\n').slice(1, 4)).toEqual([row('a'), row('b'), row('c')]);

  const d = start('d', 'a', '--join');
  await typed('add d', /^members .*: a, b, c, d$/);
  d.child.kill('SIGKILL');
  await d.end();
  await typed('remove c', /^members .*: a, b, d \(down\)$/);
  c.child.kill('SIGKILL');
  await c.end();
  const back = start('c', 'ab');
  a.type('add c');
  await a.hear(/^members .*: a, b, c, d \(down\)$/);
  const again = start('d', 'a', '--join');
  await typed('replace c d', /^members .*: a, b, d$/);
  back.child.kill('SIGKILL');
  await back.end();

  // From outside: c comes back with its data, is removed, and takes part once more.
  const third = start('c', 'ab');
  a.type('add c');
  await a.hear(/^members .*: a, b, c, d$/);
  const replaced = await members(command('replace'));
  expect([replaced.status, replaced.stdout]).toEqual([0, expect.not.stringContaining('\nc ')]);
  third.child.kill('SIGKILL');
  await third.end();
  const removed = await members(command('remove'));
  expect([removed.status, removed.stderr]).toEqual([0, '']);
  expect([...run].sort()).toEqual([...lines].sort());

  for (const site of [a, b, again]) {
    site.child.kill('SIGKILL');
    await site.end();
  }
  const anew = ['members', 'found-anew', dataDir('a'), '--cluster', 'orders'];
  expect(page).toContain('`baton members found-anew DIR`');
  expect(await sharedBaton(...anew)).toMatchObject({ status: 2 });
  const done = await sharedBaton(...anew, '--yes');
  const shown = /^a has founded cluster orders anew.*\n.*$/m.exec(page)![0];
  const form = (text: string) => text.replace(/\d{10,}/g, 'N').replace(/dropped: .*/, 'dropped');
  expect(form(done.stdout.trim())).toBe(form(shown));
  const alone = start('a', 'bc');
  alone.type('request');
  await alone.hear(/the token is here/);
  // Each command of the page is one of those above.
  expect(new Set(page.match(/baton members [a-z-]+/g))).toEqual(
    new Set(['list', 'remove', 'replace', 'found-anew'].map((word) => `baton members ${word}`)),
  );
}, 120_000);

test('docs/membership.md: a site that joins by the program there is added', async () => {
  const [block, ...others] = blocksOf('ts');
  expect(others).toEqual([]);
  const [port, own] = await freePorts(2);
  const secret = 'of at least thirty-two bytes, for a test alone';
  const listen = { host: '127.0.0.1', port: port! };
  const a = await joinCluster({ cluster: 'orders', site: 'a', listen, peers: {}, secret });
  onTestFinished(() => a.close({ graceful: false }));
  await a.ready();
  const program = block!
    .replace("{ host: '10.0.0.4', port: 4001 }", `{ host: '127.0.0.1', port: ${own} }`)
    .replace("{ host: '10.0.0.1', port: 4001 }", `{ host: '127.0.0.1', port: ${port} }`);
  expect(program).not.toContain('10.0.0.');
  const made = new Function(
    'joinCluster',
    'secret',
    `return (async () => { ${program} return cluster; })();`,
  );
  const d = (await made(joinCluster, secret)) as Cluster;
  onTestFinished(() => d.close({ graceful: false }));
  await d.lock('x').run(() => undefined, { timeoutMs: 20_000 });
  expect(a.members().voters.map(({ site }) => site)).toEqual(['a', 'd']);
}, 60_000);
