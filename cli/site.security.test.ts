import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Authority } from '../runtime/testing/credentials.ts';
import { freePorts } from '../runtime/testing/free-ports.ts';
import { BatonProcess, baton } from './testing/baton.ts';
import { directory } from './testing/directory.ts';

const authority = new Authority('baton');
const stranger = new Authority('baton');

/** The options of `id`, with its certificate and key written to files. */
function certified(id: string, { cert, key } = authority.tls('baton', id)): string[] {
  const dir = directory();
  const files = { cert, key, ca: authority.ca };
  return Object.entries(files).flatMap(([name, text]) => {
    const file = join(dir, name);
    writeFileSync(file, text, { mode: 0o600 });
    return [`--tls-${name}`, file];
  });
}

function withSecret(text: string): string[] {
  const file = join(directory(), 'secret');
  writeFileSync(file, text, { mode: 0o600 });
  return ['--secret-file', file];
}

const secret = 'c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbg==';

/** How to start `a`, `b` and `c`. */
async function places() {
  const ports = await freePorts(3);
  const ids = ['a', 'b', 'c'];
  const address = (id: string) => `127.0.0.1:${ports[ids.indexOf(id)]}`;
  return (id: string, options: readonly string[], listen = address(id)) => {
    const peers = ids.filter((other) => other !== id).map((other) => `${other}=${address(other)}`);
    return new BatonProcess(['site', '--id', id, '--listen', listen, '--peers', peers.join(), ...options]);
  };
}

describe('baton site among strangers', () => {
  it.each<[string, (id: string) => string[], () => string[]]>([
    ['certificates', (id) => certified(id), () => certified('a', stranger.tls('baton', 'a'))],
    // With the line end of an editor, and without.
    ['a secret', (id) => withSecret(id === 'a' ? secret : `${secret}\n`), () => withSecret('x'.repeat(40))],
  ])('goes on by %s; a program without the right one is not heard', async (_, right, wrong) => {
    const start = await places();
    const [b, c] = [start('b', right('b')), start('c', right('c'))];
    await b.hear(/^c is up$/);
    const impostor = start('a', wrong(), '127.0.0.1:0');
    await c.hear(/^NOT_AUTHENTICATED: /);
    await b.hear(/^NOT_AUTHENTICATED: /);
    impostor.type('request');
    c.type('request');
    impostor.type('status');
    await impostor.hear(/token elsewhere|connected: nobody$/);
    expect(impostor.stdout).not.toMatch(/is up|the token is here: in/);
    expect(b.stdout + c.stdout).not.toMatch(/a is up/);
    // Which is seen here: with the right one it is.
    const a = start('a', right('a'));
    await b.hear(/^a is up$/);
    await c.hear(/^a is up$/);
    // The cluster is founded by the right `a`: only now is a request granted.
    await c.hear(/^the token is here/);
    c.type('release');
    a.type('request');
    await a.hear(/^the token is here/);
  });

  const site = ['site', '--id', 'a', '--peers', 'b=127.0.0.1:1', '--listen'];
  it.each<[string, () => string[], RegExp]>([
    [
      'where others can call it, with nothing',
      () => ['0.0.0.0:0'],
      /INSECURE_LISTEN: 0\.0\.0\.0 can be reached/,
    ],
    [
      'with a file that is not there',
      () => ['127.0.0.1:0', '--secret-file', '/none'],
      /--secret-file: ENOENT/,
    ],
    [
      'with half of what TLS needs',
      () => ['127.0.0.1:0', ...certified('a').slice(0, 2)],
      /--tls-cert, --tls-key and --tls-ca go together/,
    ],
    [
      'under the certificate of another',
      () => ['127.0.0.1:0', ...certified('b')],
      /OPTIONS_INVALID: tls\.cert names/,
    ],
  ])('does not start %s', async (_, options, why) => {
    const { status, stderr } = await baton(...site, ...options());
    expect(stderr).toMatch(why);
    expect(status).toBe(2);
  });
});
