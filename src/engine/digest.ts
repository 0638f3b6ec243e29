// Digests: one number that two results share when they say the same, whatever store they were read from.
import { createHash } from 'node:crypto'
import canonicalizeModule from 'canonicalize'
import type { Finding } from './finding.js'

// The package is CommonJS with an ES default: under Node's ESM loader the function itself is what comes in.
const canonicalizeJson = canonicalizeModule as unknown as (value: unknown) => string | undefined

/** JSON by RFC 8785: the same value gives the same bytes. Undefined fields are left out. */
export function canonicalize(value: unknown): string {
  const text = canonicalizeJson(value)
  if (text === undefined) throw new TypeError('canonicalize: not a JSON value')
  return text
}

/** `sha256:…` over the RFC 8785 form of an object, hashed in pieces: as one text it could be longer than a string can be. */
export function digestOf(value: object): string {
  const hash = createHash('sha256')
  for (const piece of canonicalPieces(value)) hash.update(piece)
  return `sha256:${hash.digest('hex')}`
}

/** RFC 8785 orders keys by their UTF-16 code units, which is how JavaScript sorts. */
function* canonicalPieces(value: object): Iterable<string> {
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  let before = '{'
  for (const [key, field] of fields.sort(([a], [b]) => (a < b ? -1 : 1))) {
    yield `${before}${canonicalize(key)}:`
    if (Array.isArray(field)) yield* canonicalItems(field)
    else yield canonicalize(field)
    before = ','
  }
  yield before === '{' ? '{}' : '}'
}

function* canonicalItems(items: readonly unknown[]): Iterable<string> {
  yield '['
  for (const [index, item] of items.entries()) yield `${index === 0 ? '' : ','}${canonicalize(item)}`
  yield ']'
}

/** What a scan was asked beside its cut: part of its digest. */
export interface ScanQuestion {
  readonly projection: string
  readonly version: string
  readonly filters: { readonly rules?: readonly string[]; readonly subjects?: readonly string[] }
  /** RFC 3339. */
  readonly now: string
}

/**
 * The digest of a scan: `{projection, version, filters, now, findings}`, findings in their order. Positions, `created` and elapsed time
 * are no part of a finding, so it is equal on every home. Findings are hashed one by one: all of them as one text
 * could be longer than a string can be.
 */
export function digestOfScan(question: ScanQuestion, findings: readonly Finding[]): string {
  return digestOfTexts(question, textsOf(findings))
}

/** The same from the findings' RFC 8785 forms. */
export function digestOfTexts(question: ScanQuestion, findings: Iterable<string | Uint8Array>): string {
  const { filters, now, projection, version } = question
  // The keys in RFC 8785 order: filters, findings, now, projection, version.
  const hash = createHash('sha256').update(`{"filters":${canonicalize(filters)},"findings":[`)
  let before = ''
  for (const finding of findings) {
    hash.update(before).update(finding)
    before = ','
  }
  hash.update(
    `],"now":${canonicalize(now)},"projection":${canonicalize(projection)},"version":${canonicalize(version)}}`,
  )
  return `sha256:${hash.digest('hex')}`
}

function* textsOf(findings: readonly Finding[]): Iterable<string> {
  for (const finding of findings) yield canonicalize(finding)
}
