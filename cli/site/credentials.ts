import { readFileSync } from 'node:fs';
import type { ClusterOptions } from '../../runtime/index.ts';
import { UsageError } from '../../verification/check/errors.ts';

/** The files with the credentials of a site, if it has any. */
export interface CredentialFiles {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly secretFile?: string;
  readonly insecure?: boolean;
}

/** Throws UsageError if a file cannot be read, or one of three is missing. */
export function credentialsIn({
  tlsCert,
  tlsKey,
  tlsCa,
  secretFile,
  insecure,
}: CredentialFiles): Pick<ClusterOptions, 'tls' | 'secret' | 'insecure'> {
  const given = [tlsCert, tlsKey, tlsCa].filter((file) => file !== undefined).length;
  if (given > 0 && given < 3) throw new UsageError('--tls-cert, --tls-key and --tls-ca go together');
  return {
    ...(tlsCert !== undefined && {
      tls: {
        cert: read('--tls-cert', tlsCert),
        key: read('--tls-key', tlsKey!),
        ca: read('--tls-ca', tlsCa!),
      },
    }),
    ...(secretFile !== undefined && { secret: read('--secret-file', secretFile) }),
    ...(insecure !== undefined && { insecure }),
  };
}

function read(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}
