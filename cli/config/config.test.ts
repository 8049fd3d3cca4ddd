import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clusterSchema } from '../../runtime/options/schema.ts';
import { keysOf } from '../../runtime/options/walk.ts';
import { freePorts } from '../../runtime/testing/free-ports.ts';
import { BatonProcess } from '../testing/baton.ts';
import { directory } from '../testing/directory.ts';
import { keys } from './keys.ts';
import { configure } from './settings.ts';
import { configurationTable } from './table.ts';

const flags = { id: 'a', listen: { host: '127.0.0.1', port: 0 }, peers: { b: { host: 'b', port: 1 } } };

/** The path of a file that says `text`. */
function file(text: string): string {
  const path = join(directory(), 'site.yaml');
  writeFileSync(path, text);
  return path;
}

function run(env: NodeJS.ProcessEnv, ...args: string[]) {
  return new BatonProcess(args, env).end();
}

describe('the settings of a site come from', () => {
  test('flags before variables before the file', () => {
    const config = file('{ root: a, dataDir: of the file, traceDir: of the file, voters: [a] }');
    const env = { BATON_DATA_DIR: 'of the variable', BATON_TRACE_DIR: 'of the variable' };
    const { given, options } = configure({ ...flags, config, trace: 'of the flag' }, env);
    expect(options).toMatchObject({
      root: 'a',
      dataDir: 'of the variable',
      traceDir: 'of the flag',
      voters: ['a'],
    });
    expect(['root', 'dataDir', 'traceDir', 'cluster'].map((key) => given.get(key)?.from)).toEqual([
      config,
      'BATON_DATA_DIR',
      '--trace',
      'default',
    ]);
  });

  test('a part of a group from each', () => {
    const config = file('timing: { heartbeatMs: 100, failureTimeoutMs: 900 }');
    const env = {
      BATON_TIMING_FAILURE_TIMEOUT_MS: '800',
      BATON_LIMITS_MAX_LOCKS: '7',
      BATON_STRICT_LEASE_MS: '500',
    };
    expect(configure({ ...flags, config }, env).options).toMatchObject({
      timing: { heartbeatMs: 100, failureTimeoutMs: 800 },
      limits: { maxLocks: 7 },
      strict: { leaseMs: 500 },
    });
  });

  test('all of it from a file alone, or from variables alone', () => {
    const config = file('site: a\nlisten: 127.0.0.1:1\npeers:\n  b: "[::1]:2"\n  c: { host: c, port: 3 }\n');
    const peers = { b: { host: '::1', port: 2 }, c: { host: 'c', port: 3 } };
    const options = { site: 'a', listen: { host: '127.0.0.1', port: 1 }, peers };
    expect(configure({}, { BATON_CONFIG: config }).options).toMatchObject(options);
    const env = { BATON_SITE: 'a', BATON_LISTEN: '127.0.0.1:1', BATON_PEERS: 'b=[::1]:2,c=c:3' };
    expect(configure({}, env).options).toMatchObject(options);
  });

  test('one list of peers for all sites: each leaves itself out', () => {
    const env = { BATON_LISTEN: '127.0.0.1:1', BATON_PEERS: 'a=a:1,b=b:1,c=c:1' };
    const peersOf = (site: string) => Object.keys(configure({}, { ...env, BATON_SITE: site }).options.peers!);
    expect(['a', 'b', 'c', 'd'].map(peersOf)).toEqual([
      ['b', 'c'],
      ['a', 'c'],
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  test('a secret from a file', () => {
    const secretFile = file(`${'s'.repeat(40)}\n`);
    expect(configure(flags, { BATON_SECRET_FILE: secretFile }).options.secret).toEqual(
      Buffer.from(`${'s'.repeat(40)}\n`),
    );
  });

  test.each([
    ['a key that is none', 'datadir: x', {}, /datadir: there is no such key; did you mean dataDir\?$/],
    [
      'a key of a group that is none',
      'timing: { failuretimeoutms: 1 }',
      {},
      /timing\.failuretimeoutms: .* did you mean failureTimeoutMs\?$/,
    ],
    ['the name of a flag', 'id: a', {}, /id: there is no such key; did you mean site\?$/],
    ['the name of a flag', 'tls-cert: a', {}, /tls-cert: there is no such key; did you mean tls.certFile\?$/],
    [
      'a group that is none',
      'strict: 7',
      {},
      /strict is an object of keys, not 7; there are leaseMs, driftShare$/,
    ],
    ['a key twice', 'root: a\nroot: b', {}, /Map keys must be unique/],
    ['no file', null, { BATON_CONFIG: '/no/such/file' }, /cannot read \/no\/such\/file: ENOENT/],
    [
      'an address of a file',
      'listen: nowhere',
      {},
      /^OPTIONS_INVALID: listen: .* got "nowhere" \(.*site\.yaml\)$/,
    ],
    [
      'a number of a variable',
      '{}',
      { BATON_TIMING_FAILURE_TIMEOUT_MS: 'long' },
      /failureTimeoutMs: .* got "long" \(BATON_TIMING_FAILURE_TIMEOUT_MS\)$/,
    ],
    ['a choice of a variable', '{}', { BATON_INSECURE: 'yes' }, /insecure: .* got "yes" \(BATON_INSECURE\)$/],
    ['an address of a variable', '{}', { BATON_PEERS: 'b' }, /^BATON_PEERS: Expected ID=HOST:PORT/],
    [
      'two ways to prove itself',
      '{}',
      { BATON_SECRET: 'x' },
      /secret: .*, got a string of 1 bytes \(BATON_SECRET\)$/,
    ],
  ])('%s is refused', (_, text, env, message) => {
    const { listen: _given, peers: _too, ...few } = flags;
    const all = message.source.includes('listen:') || 'BATON_PEERS' in env ? { ...few } : { ...flags };
    const least = { BATON_LISTEN: undefined, BATON_PEERS: 'b=b:1', ...env };
    const from = text === null ? {} : { config: file(text) };
    const variables = message.source.includes('listen:') ? least : { ...least, BATON_LISTEN: 'a:1' };
    expect(() => configure({ ...all, ...from }, variables)).toThrow(message);
  });

  test('no default for required keys: the error names every way to give them', () => {
    expect(() => configure({}, {})).toThrow(
      /^--id is missing \(or BATON_SITE, or site in a file of --config\)\n--listen is missing .*\n--peers is missing/,
    );
  });

  test('known variables only: a similar name causes a warning', () => {
    const { doubts } = configure(flags, { BATON_PEER: 'b=b:1', BATON_SERVICE_HOST: '10.0.0.1' });
    expect(doubts).toEqual(['BATON_PEER is read by nobody; did you mean BATON_PEERS?']);
  });
});

describe('baton config', () => {
  test('prints each setting and its source, but no secret', async () => {
    const secret = 'k'.repeat(40);
    const env = { BATON_SECRET: secret, BATON_NODES: '1' };
    const args = ['--id', 'a', '--listen', '127.0.0.1:1', '--peers', 'b=127.0.0.1:2'];
    const { status, stdout, stderr } = await run(env, 'config', ...args);
    expect(stdout).toMatch(/^secret +hidden +BATON_SECRET$/m);
    expect(stdout).toMatch(/^peers +b=127\.0\.0\.1:2 +--peers$/m);
    expect(stdout + stderr).not.toContain(secret);
    expect(status).toBe(0);
    const json = await run(env, 'config', '--json', ...args);
    expect(JSON.parse(json.stdout)).toContainEqual({ path: 'secret', value: 'hidden', from: 'BATON_SECRET' });
    expect((await run({}, 'config', '--id', 'a')).status).toBe(2);
  });

  test('prints settings that a site accepts', async () => {
    const [a] = await freePorts(1);
    const config = file(`cluster: of a file\nlisten: 127.0.0.1:${a}\npeers: {}\nvoters: [a]\n`);
    const site = new BatonProcess(['site', '--config', config], { BATON_SITE: 'a' });
    await site.hear(new RegExp(`^a listens on 127\\.0\\.0\\.1:${a}; root is a`));
    for (const command of ['request', 'release', 'quit']) site.type(command);
    await site.hear(/^the token is here/);
    expect(await site.end()).toMatchObject({ status: 0 });
  });
});

describe('docs/configuration.md', () => {
  const path = join(import.meta.dirname, '../../docs/configuration.md');
  const text = readFileSync(path, 'utf8');

  test('has all keys with their description', () => {
    // UPDATE_GUIDE=1 writes the table anew, to be read in the diff.
    const updated = text.replace(/(?:^\|.*\n)+|^TABLE\n/m, configurationTable);
    if (process.env['UPDATE_GUIDE'] === '1') writeFileSync(path, updated);
    else expect(text).toBe(updated);
    for (const key of keysOf(clusterSchema)) expect(text).toMatch(new RegExp(`^\\| \`${key}[.\`]`, 'm'));
    expect(new Set(keys.map(({ variable }) => variable)).size).toBe(keys.length);
  });

  test('shows what baton config prints', async () => {
    const yaml = /^```yaml\n# a\.yaml\n(.*?)^```$/ms.exec(text)![1]!;
    const [, shown] =
      /^\$ BATON_TIMING_FAILURE_TIMEOUT_MS=3000 npx baton config --config a\.yaml --id a\n(.*?)^```$/ms.exec(
        text,
      )!;
    const config = file(yaml);
    const { stdout } = await run(
      { BATON_TIMING_FAILURE_TIMEOUT_MS: '3000' },
      'config',
      '--config',
      config,
      '--id',
      'a',
    );
    expect(stdout.replaceAll(config, 'a.yaml')).toBe(shown);
  });
});
