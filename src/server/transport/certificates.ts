// The server's certificate and key: checked before anything listens, and what is wrong with them said in words.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** PEM texts. `cert` may hold a chain, the server's own certificate first. */
export interface TlsOptions {
  readonly cert: string | Buffer
  readonly key: string | Buffer
  /** The certificates that lead from `cert` to a root, where `cert` does not hold them itself. */
  readonly ca?: string | Buffer
}

/** The certificate or the key cannot be used. The message is for a person. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** What a TLS server is given: the server's certificate, with those that lead to a root behind it, and the key. */
export interface ServerCredentials {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** Throws CertificateError where the certificate or the key is unreadable, they do not belong together, or the certificate is out of date. */
export function serverCredentials(options: TlsOptions, now: Date = new Date()): ServerCredentials {
  const certificate = read('The certificate is not a PEM certificate', () => new X509Certificate(options.cert))
  const key = read('The key is not a PEM private key without a password', () => createPrivateKey(options.key))
  if (!certificate.checkPrivateKey(key)) {
    throw new CertificateError('The key does not belong to the certificate: make both together')
  }
  if (now > new Date(certificate.validTo)) {
    throw new CertificateError(`The certificate has expired on ${certificate.validTo}: make a new one`)
  }
  if (now < new Date(certificate.validFrom)) {
    throw new CertificateError(`The certificate is valid only from ${certificate.validFrom}: look at the clock`)
  }
  const credentials = { cert: chainOf(options), key: options.key }
  read('The certificate chain cannot be used', () => createSecureContext(credentials))
  return credentials
}

function chainOf({ cert, ca }: TlsOptions): string | Buffer {
  return ca === undefined ? cert : `${cert}\n${ca}`
}

function read<T>(problem: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new CertificateError(`${problem}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}
