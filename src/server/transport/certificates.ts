// The server's certificate and key: checked before anything listens, and what is wrong with them said in words.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'

/** PEM texts. `cert` may hold a chain, the server's own certificate first. */
export interface TlsOptions {
  readonly cert: string | Buffer
  readonly key: string | Buffer
  /** Certificates that clients are told to trust; only needed where `cert` does not hold the chain. */
  readonly ca?: string | Buffer
}

/** The certificate or the key cannot be used. The message is for a person. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** Throws CertificateError where the certificate or the key is unreadable, they do not belong together, or the certificate is out of date. */
export function secureContextOf(options: TlsOptions, now: Date = new Date()): SecureContext {
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
  const { ca } = options
  const chain = ca === undefined ? options.cert : Buffer.concat([Buffer.from(options.cert), Buffer.from(`\n${ca}`)])
  return read('The certificate chain cannot be used', () => createSecureContext({ cert: chain, key: options.key }))
}

function read<T>(problem: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new CertificateError(`${problem}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}
