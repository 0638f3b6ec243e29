// Who may do what with groups: operators make, change and delete them; who may read a source may consume it in a group; who is a
// user may look. Without TLS there are no users, and everybody may do everything.
import { ADMINS, OPS, type Principal } from '../access/principal.js'
import type { ServerContext } from '../server-context.js'
import { accessDenied } from '../status.js'

/** Throws the status of a caller that is no operator. */
export function mustBeOperator(principal: Principal, { users }: ServerContext): void {
  if (!users) return
  if (!principal?.groups.some((group) => group === ADMINS || group === OPS)) throw accessDenied()
}

/** Throws the status of a caller that is nobody. */
export function mustBeUser(principal: Principal, { users }: ServerContext): void {
  if (users && !principal) throw accessDenied()
}

/** What is told of who consumes: a real server without users says this. */
export function loginOf(principal: Principal): string {
  return principal?.login ?? 'system'
}
