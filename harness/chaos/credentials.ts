import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { reasonOf } from '../../machines/errors.ts';
import type { ClusterOptions } from '../../runtime/index.ts';
import { siteUri } from '../../runtime/mailbox/tcp/tls/certificates.ts';
import { ChaosError } from './processes.ts';

/** The credentials of links: a secret that all sites share, or certificates (SECURITY.md). */
export type Security = 'secret' | 'tls';

/** The form in which they go to a process, without buffers. */
export type Credentials = Pick<ClusterOptions, 'tls' | 'secret'>;

const run = promisify(execFile);

/** The credentials of each site of a cluster; their files are made in `dir`. Rejects with a `ChaosError`. */
export async function credentialsOf(
  security: Security,
  cluster: string,
  sites: readonly string[],
  dir: string,
): Promise<ReadonlyMap<string, Credentials>> {
  if (security === 'secret') {
    const secret = randomBytes(32).toString('hex');
    return new Map(sites.map((site) => [site, { secret }]));
  }
  mkdirSync(dir, { mode: 0o700 });
  try {
    await openssl(dir, 'req', '-x509', ...newKey('ca'), '-days', '2', '-out', 'ca.crt');
    return new Map(
      await Promise.all(sites.map(async (site) => [site, await signed(dir, cluster, site)] as const)),
    );
  } catch (cause) {
    throw new ChaosError(`certificates are made by openssl, which fails: ${reasonOf(cause)}`);
  }
}

async function signed(dir: string, cluster: string, site: string): Promise<Credentials> {
  const read = (file: string) => readFile(join(dir, file), 'utf8');
  writeFileSync(join(dir, `${site}.ext`), `subjectAltName=URI:${siteUri(cluster, site)}\n`);
  await openssl(dir, 'req', ...newKey(site), '-out', `${site}.csr`);
  const authority = [
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-set_serial',
    `0x${randomBytes(8).toString('hex')}`,
  ];
  const request = ['-req', '-in', `${site}.csr`, '-extfile', `${site}.ext`, '-days', '1'];
  await openssl(dir, 'x509', ...request, ...authority, '-out', `${site}.crt`);
  const [cert, key, ca] = await Promise.all([read(`${site}.crt`), read(`${site}.key`), read('ca.crt')]);
  return { tls: { cert, key, ca } };
}

function newKey(name: string): readonly string[] {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  return [...curve, '-subj', `/CN=${name}`, '-keyout', `${name}.key`];
}

async function openssl(cwd: string, ...command: readonly string[]): Promise<void> {
  await run('openssl', command, { cwd });
}
