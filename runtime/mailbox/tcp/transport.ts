import { constants } from 'node:crypto';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  createServer as createTlsServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import type { SiteId } from '../../../machines/actor.ts';
import { OperatingError } from '../../api/errors.ts';
import type { Address } from '../../api/peer.ts';
import type { Settings, Tls } from '../../options/schema.ts';
import { anySite, proves, siteIdPattern } from '../../wire/frames.ts';
import { natsTransport } from '../nats/nats-transport.ts';
import type { Callers, Listening, Pipe, Transport } from '../pipe.ts';
import { isLoopback } from './loopback.ts';
import { checkTls, sitesNamedBy, siteUri } from './tls/certificates.ts';
import { callerIn, sharedKey } from './tls/secret.ts';

export type TransportOptions = Pick<
  Settings,
  'cluster' | 'site' | 'listen' | 'peers' | 'tls' | 'secret' | 'insecure' | 'guest'
> &
  Partial<Pick<Settings, 'nats' | 'size'>>;

/** Throws `OPTIONS_INVALID`, `INSECURE_LISTEN`, `INSECURE_PEER`. */
export function transportOf(options: TransportOptions): Transport {
  const { cluster, site, listen, peers, tls, secret, nats, insecure = false, guest = false, size } = options;
  if (nats) return natsTransport(nats, cluster, site);
  if (tls) {
    checkTls(tls, cluster, site, guest || size !== undefined);
    return certified(tls, cluster);
  }
  if (secret !== undefined) {
    checkPreSharedKeys(process.versions);
    return withSecret(options, secret);
  }
  if (insecure) return plain;
  if (!isLoopback(listen.host)) throw insecureListen(listen.host);
  for (const [id, { host }] of Object.entries(peers)) if (!isLoopback(host)) throw insecurePeer(id, host);
  return { ...plain, mayCall: isLoopback };
}

/** Throws `OPTIONS_INVALID` on a runtime whose TLS takes the options of a pre-shared key and ignores them: its sites never meet. */
export function checkPreSharedKeys(versions: NodeJS.Dict<string>): void {
  const [name] = ['bun', 'deno'].filter((runtime) => versions[runtime] !== undefined);
  if (name === undefined) return;
  const what = `secret needs TLS with a pre-shared key, which ${name} ${versions[name]} does not have`;
  throw new OperatingError('OPTIONS_INVALID', `${what}: give tls certificates instead, or run Node.js`);
}

/** Whether a process listens, and where this one does, by TCP. */
const overTcp = {
  /** Asks the kernel at `address`. */
  knock: (address: Address, stands: () => void) => connectTcp({ ...address }, stands),
  listen: async (
    address: Address,
    accept: (socket: Pipe) => void,
    failed: (cause: Error) => void,
  ): Promise<Listening> => {
    const server = createTcpServer({ noDelay: true }, accept).listen({
      ...address,
      // A worker of node:cluster would share the port of its primary with the others.
      exclusive: true,
    });
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', reject);
    });
    server.removeAllListeners('error');
    server.on('error', failed);
    const { address: host, port } = server.address() as AddressInfo;
    return {
      address: { host, port },
      close: () => new Promise((resolve) => void server.close(() => resolve())),
      unref: () => void server.unref(),
    };
  },
};

/** TCP alone: every process that reaches the port, or answers at a peer's, may claim to be any site. */
export const plain: Transport = {
  ...overTcp,
  call: (address, _, stands) => connectTcp({ ...address }, stands),
  mayCall: () => true,
  greet:
    ({ stands }) =>
    (socket) =>
      stands(socket, null),
};

/** Returns the address of the other end. */
export function remoteOf({ remoteAddress, remotePort }: Pick<Pipe, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress}:${remotePort}`;
}

/**
 * The reason to refuse the other side when `error` ends the handshake of `socket`; null where the connection only
 * broke, because the other side is gone or has refused this one.
 */
export function refusalOf(error: Error, socket: Pipe): OperatingError | null {
  if (error instanceof OperatingError) return error;
  const { authorizationError } = socket as TLSSocket;
  if (authorizationError)
    return notAuthenticated(`its certificate does not count: ${authorizationError}`, error);
  return isComplaint(error)
    ? notAuthenticated(`its handshake does not count: ${reasonOf(error)}`, error)
    : null;
}

/** The same, once bytes could go both ways. */
export function corruptionOf(error: Error): OperatingError | null {
  return isComplaint(error)
    ? new OperatingError(
        'RECORD_CORRUPT',
        `what came is not what was sent: ${reasonOf(error)}; a program or a machine on the way changes it`,
        { cause: error },
      )
    : null;
}

/** Whether this side's OpenSSL complains. An alert is the other side's complaint. */
function isComplaint(error: Error): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return code.startsWith('ERR_SSL_') && !code.includes('_ALERT_');
}

/** For a person: what OpenSSL says of itself is left out. */
export function reasonOf(error: Error): string {
  const { code = '', reason } = error as NodeJS.ErrnoException & { readonly reason?: string };
  if (!code.startsWith('ERR_SSL_')) return error.message;
  const said = reason ?? code;
  return code.includes('_ALERT_') ? `${said}: the other side refuses this one` : said;
}

const modern = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  // Each connection proves itself anew.
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

/** Both sides by certificates of one authority, and each certificate names its site. */
function certified({ cert, key, ca }: Tls, cluster: string): Transport {
  // Checked after the handshake: Node would close the connection without naming the caller.
  const server = { ...modern, cert, key, ca, requestCert: true, rejectUnauthorized: false };
  const secureContext = contextOf(server);
  return {
    ...overTcp,
    mayCall: () => true,
    call: (address, called, stands) =>
      connectTls(
        {
          ...address,
          secureContext,
          rejectUnauthorized: true,
          checkServerIdentity: (_, { subjectaltname }) =>
            isNamed(sitesNamedBy(subjectaltname, cluster), called)
              ? undefined
              : notProven(`${siteUri(cluster, called)} was called, its certificate names ${subjectaltname}`),
        },
        stands,
      ),
    greet: (callers) =>
      greetByTls(
        server,
        (socket) => {
          const certificate = socket.getPeerX509Certificate();
          if (!certificate) return notAuthenticated('it shows no certificate');
          const sites = sitesNamedBy(certificate.subjectAltName, cluster);
          if (socket.authorized) return sites;
          const names = sites.length > 0 ? sites.join(', ') : `no site of ${cluster}`;
          return notAuthenticated(
            `its certificate, which names ${names}, does not count: ${socket.authorizationError}`,
          );
        },
        callers,
      ),
  };
}

/** Both sides by the secret (external PSK of RFC 8446 with a Diffie-Hellman exchange), without certificates. */
function withSecret({ cluster, site }: TransportOptions, secret: string | Buffer): Transport {
  const options = {
    ...modern,
    // Suites of SHA-256, as the key. No authority, so that no certificate can stand in for the key.
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
    ca: [],
  };
  const secureContext = contextOf(options);
  const provenBy = new WeakMap<TLSSocket, SiteId>();
  const pskCallback = (socket: TLSSocket, identity: string) => {
    const caller = callerIn(identity);
    if (!siteIdPattern.test(caller)) return null;
    // A guest may not know the name of the site that it calls.
    const shared = [site, anySite]
      .map((called) => sharedKey(secret, cluster, { caller, called }))
      .find((key) => key.identity === identity);
    if (shared === undefined) return null;
    provenBy.set(socket, caller);
    return shared.key;
  };
  return {
    ...overTcp,
    mayCall: () => true,
    call: (address, called, stands) => {
      const { identity, key } = sharedKey(secret, cluster, { caller: site, called });
      return connectTls(
        {
          ...address,
          secureContext,
          rejectUnauthorized: true,
          pskCallback: () => ({ identity, psk: key }),
          checkServerIdentity: () => notAuthenticated('it shows a certificate in place of the secret'),
        },
        stands,
      );
    },
    greet: (who) =>
      greetByTls(
        { ...options, pskCallback },
        (socket) => {
          const peer = provenBy.get(socket);
          return peer === undefined ? [] : [peer];
        },
        who,
      ),
  };
}

/** Reports whether `called` is the expected site. `anySite`: whether it is a site at all. */
function isNamed(sites: readonly SiteId[], called: SiteId): boolean {
  return called === anySite ? sites.length > 0 : proves(sites, called);
}

function greetByTls(
  options: TlsOptions,
  proves: (socket: TLSSocket) => readonly SiteId[] | OperatingError,
  { stands, refused }: Callers,
): (socket: Pipe) => void {
  // Never listens: it is given what has come in elsewhere.
  const server = createTlsServer(options);
  server.on('secureConnection', (socket) => {
    // Before anything else: the taker hears of its end by 'close'.
    socket.on('error', () => undefined);
    const proven = proves(socket);
    if (!(proven instanceof OperatingError)) {
      stands(socket, proven);
      return;
    }
    refused(proven, remoteOf(socket));
    socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    const refusal = refusalOf(error, socket);
    if (refusal) refused(refusal, socket.remoteAddress === undefined ? null : remoteOf(socket));
  });
  return (socket) => void server.emit('connection', socket);
}

function contextOf(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw new OperatingError(
      'OPTIONS_INVALID',
      `tls: OpenSSL does not take cert, key and ca: ${reasonOf(cause as Error)}`,
      { cause },
    );
  }
}

function insecureListen(host: string): OperatingError {
  return new OperatingError(
    'INSECURE_LISTEN',
    `${host} can be reached by others than this machine, and with neither tls nor secret every program that reaches it can speak ` +
      'for any site: give tls or secret, or listen on 127.0.0.1; where the network itself keeps strangers out, insecure: true',
  );
}

function insecurePeer(id: SiteId, host: string): OperatingError {
  return new OperatingError(
    'INSECURE_PEER',
    `${id} is called at ${host}, beyond this machine, and with neither tls nor secret every program that answers there can speak ` +
      'for it: give tls or secret; where the network itself keeps strangers out, insecure: true',
  );
}

function notAuthenticated(message: string, cause?: unknown): OperatingError {
  return new OperatingError('NOT_AUTHENTICATED', message, { cause });
}

function notProven(message: string): OperatingError {
  return new OperatingError('SITE_NOT_PROVEN', message);
}
