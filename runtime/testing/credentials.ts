import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import { siteUri } from '../mailbox/tcp/tls/certificates.ts';
import type { Tls } from '../options/schema.ts';

const document = new URL('../../SECURITY.md', import.meta.url);

/** The commands of SECURITY.md, block by block. */
export function commands(): readonly string[] {
  const blocks = readFileSync(document, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms);
  return [...blocks].map(([, block]) => block!);
}

/** Runs them and returns their output. Throws when one of them fails. */
export function run(block: string, cwd: string): string {
  return execFileSync('sh', ['-e', '-c', block], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The result of `work` on a directory that is deleted afterwards. */
function within<T>(work: (dir: string, read: (file: string) => string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'baton-'));
  try {
    return work(dir, (file) => readFileSync(join(dir, file), 'utf8'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** An authority of its own, with what it has signed for the sites `a`, `b` and `c` of the clusters, made as SECURITY.md says. */
export class Authority {
  readonly ca: string;
  readonly #key: string;
  readonly #signed = new Map<string, Tls>();

  constructor(...clusters: readonly string[]) {
    [this.ca, this.#key] = within((dir, read) => {
      run(commands()[0]!, dir);
      return [read('ca.crt'), read('ca.key')] as const;
    });
    for (const cluster of clusters)
      for (const [site, tls] of this.#sign(cluster)) this.#signed.set(siteUri(cluster, site), tls);
  }

  /** Signed by other commands than those of SECURITY.md. */
  amended(cluster: string, site: SiteId, amend: (commands: string) => string): Tls {
    return this.#sign(cluster, amend).get(site)!;
  }

  #sign(cluster: string, amend = (commands: string) => commands): ReadonlyMap<SiteId, Tls> {
    return within((dir, read) => {
      writeFileSync(join(dir, 'ca.crt'), this.ca);
      writeFileSync(join(dir, 'ca.key'), this.#key);
      run(amend(commands()[1]!.replaceAll('//orders/', `//${cluster}/`)), dir);
      return new Map(
        ['a', 'b', 'c'].map((site) => [
          site,
          { cert: read(`${site}.crt`), key: read(`${site}.key`), ca: this.ca },
        ]),
      );
    });
  }

  tls(cluster: string, site: SiteId): Tls {
    return this.#signed.get(siteUri(cluster, site))!;
  }
}
