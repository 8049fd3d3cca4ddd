import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import type { Tls } from '../options.ts';
import { siteUri } from '../security/certificates.ts';

const document = new URL('../../SECURITY.md', import.meta.url);

/** The commands of SECURITY.md, block by block. */
export function commands(): readonly string[] {
  const blocks = readFileSync(document, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms);
  return [...blocks].map(([, block]) => block!);
}

/** Runs them; gives what they print. Throws when one of them fails. */
export function run(block: string, cwd: string): string {
  return execFileSync('sh', ['-e', '-c', block], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** An authority of its own, with what it has signed for the sites `a`, `b` and `c` of the clusters, made as SECURITY.md says. */
export class Authority {
  readonly ca: string;
  readonly #signed = new Map<string, Tls>();

  constructor(...clusters: readonly string[]) {
    const dir = mkdtempSync(join(tmpdir(), 'baton-'));
    const read = (file: string) => readFileSync(join(dir, file), 'utf8');
    const [authority, sites] = commands();
    try {
      run(authority!, dir);
      this.ca = read('ca.crt');
      for (const cluster of clusters) {
        run(sites!.replaceAll('//orders/', `//${cluster}/`), dir);
        for (const site of ['a', 'b', 'c'])
          this.#signed.set(siteUri(cluster, site), {
            cert: read(`${site}.crt`),
            key: read(`${site}.key`),
            ca: this.ca,
          });
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  }

  tls(cluster: string, site: SiteId): Tls {
    return this.#signed.get(siteUri(cluster, site))!;
  }
}
