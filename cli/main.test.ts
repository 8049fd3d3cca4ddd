import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systems } from '../verification/protocols/systems.ts';
import { sharedBaton as baton } from './testing/shared-baton.ts';

const scratch = mkdtempSync(join(tmpdir(), 'baton-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A directory in which some site was recorded. */
function record(): string {
  writeFileSync(join(scratch, 'a.ndjson'), '');
  return scratch;
}

describe('baton', () => {
  it('has help for every verb, and hides internal verbs', async () => {
    const { status, stdout } = await baton('--help');
    expect(status).toBe(0);
    for (const verb of ['demo', 'site', 'verify', 'replay']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${verb} `, 'm'));
      const help = await baton(verb, '--help');
      expect(help.status, verb).toBe(0);
      expect(help.stdout, verb).toMatch(/^Usage: baton /);
      expect(help.stdout, verb).toContain('Exit status: 0');
    }
    expect(stdout).not.toContain('demo-site');
  });

  it('names every system that can be verified', async () => {
    const words = (await baton('verify', '--help')).stdout.match(/[a-z-]+/g);
    expect(words).toEqual(expect.arrayContaining(Object.keys(systems)));
  });

  const wrong: Readonly<Record<string, readonly [readonly string[], RegExp]>> = {
    'no verb': [[], /Usage: baton/],
    'an unknown verb': [['verfy'], /unknown command 'verfy'/],
    'an unknown option': [['demo', '--size', '3'], /unknown option '--size'/],
    'a number that is none': [['demo', '--sites', 'many'], /Expected a whole number from 2 to 26/],
    'too few sites': [['verify', 'naimi-trehel', '--sites', '1'], /SITES_OUT_OF_RANGE/],
    'an unknown system': [['verify', 'naimi'], /no system naimi: it is neither one of naimi-trehel/],
    'a protocol in place of a mutant': [['verify', 'members/'], /Give one of them:\n {2}'members\/.+'\n/],
    'an unknown network': [['verify', 'naimi-trehel', '--network', 'lifo'], /Allowed choices are fifo/],
    'a network that the system cannot have': [
      ['verify', 'naimi-trehel-leaving', '--network', 'unordered'],
      /NETWORK_UNFIT.*ask for fifo/,
    ],
    'a missing option': [['site', '--id', 'a'], /--listen is missing \(or BATON_LISTEN, or listen in a file/],
    'an address that is none': [['site', '--listen', '4001'], /Expected HOST:PORT, such as 127.0.0.1:4002/],
    'peers that are none': [['site', '--peers', 'b:1'], /Expected ID=HOST:PORT/],
    'a peer named twice': [['site', '--peers', 'b=h:1,b=h:2'], /b is named twice/],
    'a root that is no site': [
      ['site', '--id', 'a', '--listen', '127.0.0.1:0', '--peers', 'b=127.0.0.1:1', '--root', 'z'],
      /OPTIONS_INVALID: root: the root is a founder, one of a, b; got "z"/,
    ],
    'a record that is not there': [['replay', 'no/such/record'], /cannot read no\/such\/record/],
    'a directory of a record that is there already': [
      ['demo', '--trace', record()],
      /holds the record of another run/,
    ],
    'demo-site by hand': [['demo-site'], /started by baton demo/],
  };
  for (const [what, [args, explanation]] of Object.entries(wrong)) {
    it(`ends with status 2 and an explanation on ${what}`, async () => {
      const { status, stdout, stderr } = await baton(...args);
      expect(stderr).toMatch(explanation);
      expect(stdout).toBe('');
      expect(status).toBe(2);
    });
  }
});
