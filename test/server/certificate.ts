// Certificates for tests, made by openssl for 127.0.0.1 and localhost.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A self-signed certificate, valid for two days, or no longer. */
export function makeCertificate({ hasExpired = false }: { hasExpired?: boolean } = {}): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  try {
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const out = ['-keyout', files.key, '-out', files.cert, '-days', '2']
    execFileSync('openssl', ['req', '-x509', ...newKey, ...out, ...name], { stdio: 'pipe' })
    // `req` makes none that has expired; signing it anew does.
    const anew = ['x509', '-in', files.cert, '-signkey', files.key, '-days', '-1', '-out', files.cert]
    if (hasExpired) execFileSync('openssl', anew, { stdio: 'pipe' })
    return { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
