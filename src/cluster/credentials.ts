/** What a TLS connection to the API server is made with. */
export interface TlsOptions {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface Credentials {
  /** The same object as long as nothing in it has changed. */
  readonly tls: TlsOptions
  /** Authorization and impersonation. A list is sent as a header for each of its texts. */
  readonly headers: Readonly<Record<string, string | string[]>>
}
