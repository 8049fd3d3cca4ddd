/** In PEM. */
export interface Tls {
  /** Of this site: names `baton://<cluster>/<site>` as a URI among its subject alternative names. */
  readonly cert: string | Buffer;
  /** To the certificate, without a passphrase. */
  readonly key: string | Buffer;
  /** Whoever has signed the peers' certificates. */
  readonly ca: string | Buffer;
}
