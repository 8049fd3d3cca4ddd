import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { SiteId } from '../../../../machines/actor.ts';
import { OperatingError } from '../../../api/errors.ts';
import type { Tls } from '../../../options/schema.ts';
import { proves, siteIdPattern } from '../../../wire/frames.ts';

// As extended key usage (RFC 5280, 4.2.1.12); Node has it as `keyUsage`.
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyUse = '2.5.29.37.0';

/**
 * The name that the certificate of a site bears as a URI among its subject alternative names (RFC 5280, 4.2.1.6):
 * `baton://<cluster>/<site>`. It names the cluster, too, so that one authority may sign for several; and nothing that
 * was signed for another purpose is a site's.
 */
export function siteUri(cluster: string, site: SiteId): string {
  return `${clusterUri(cluster)}${site}`;
}

/** The sites of `cluster` that a certificate names; `altNames` is `subjectAltName` as Node gives it. */
export function sitesNamedBy(altNames: string | undefined, cluster: string): readonly SiteId[] {
  const prefix = `URI:${clusterUri(cluster)}`;
  // Node quotes whatever could be taken for more than one name; no name of a site needs that.
  const names = (altNames ?? '').replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(', ');
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((site) => siteIdPattern.test(site));
}

/**
 * Throws `OPTIONS_INVALID`, which says what is wrong with which of the three; nothing is said of the authority, which
 * may be another for each site. `isShared`: the certificate may name the site without the end that makes it the only one.
 */
export function checkTls(tls: Tls, cluster: string, site: SiteId, isShared: boolean): void {
  const certificate = certificateIn(tls.cert, 'tls.cert');
  certificateIn(tls.ca, 'tls.ca');
  if (!certificate.checkPrivateKey(privateKeyIn(tls.key)))
    throw invalid('tls.key is not the key to tls.cert: they are of two different pairs');
  const sites = sitesNamedBy(certificate.subjectAltName, cluster);
  if (!(isShared ? proves(sites, site) : sites.includes(site))) {
    const names = certificate.subjectAltName ?? 'nothing';
    throw invalid(
      `tls.cert names ${names}; expected URI:${siteUri(cluster, site)} among its subject alternative names`,
    );
  }
  // No peer would take it, and only they would say why.
  if (new Date(certificate.validTo) < new Date())
    throw invalid(`tls.cert has ended at ${certificate.validTo}: sign it anew`);
  for (const [use, whose] of [
    [serverAuth, "server's"],
    [clientAuth, "client's"],
  ] as const)
    if (certificate.keyUsage && ![use, anyUse].some((allowed) => certificate.keyUsage.includes(allowed)))
      throw invalid(
        `tls.cert may not be used as a ${whose}; expected serverAuth and clientAuth as its extendedKeyUsage, or none`,
      );
}

function clusterUri(cluster: string): string {
  // The characters that encodeURIComponent leaves, though RFC 3986 reserves them.
  const reserved = /[!'()*]/g;
  const encoded = encodeURIComponent(cluster).replaceAll(
    reserved,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `baton://${encoded}/`;
}

function certificateIn(pem: string | Buffer, option: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw invalid(`${option} is no certificate in PEM: ${(cause as Error).message}`, cause);
  }
}

function privateKeyIn(pem: string | Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw invalid(
      `tls.key is no private key in PEM without a passphrase: ${(cause as Error).message}`,
      cause,
    );
  }
}

function invalid(message: string, cause?: unknown): OperatingError {
  return new OperatingError('OPTIONS_INVALID', message, { cause });
}
