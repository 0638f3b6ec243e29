// Who calls: nobody, or a user with groups.

export interface User {
  readonly login: string
  readonly groups: readonly string[]
}

/** Undefined: no credentials were sent. */
export type Principal = User | undefined

export const ADMINS = '$admins'
export const OPS = '$ops'

export function isAdmin(principal: Principal): boolean {
  return principal?.groups.includes(ADMINS) ?? false
}

/** The login and password in an `authorization` header; undefined where it holds none; `malformed` where it should and does not. */
export function credentialsIn(
  authorization: string | undefined,
): { readonly login: string; readonly password: string } | 'malformed' | undefined {
  const basic = /^basic\s+(.*)$/i.exec(authorization ?? '')?.[1]
  if (basic === undefined) return undefined
  const text = Buffer.from(basic, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 1 ? 'malformed' : { login: text.slice(0, colon), password: text.slice(colon + 1) }
}
