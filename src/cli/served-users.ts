// The file of `serve --users`: a JSON list of users.
import { z } from 'zod'
import type { ServedUser } from './context.js'
import { UsageError } from './exit-codes.js'
import { readWhole } from './files.js'

const USERS = z.array(
  z.strictObject({
    login: z.string().min(1),
    password: z.string().min(1),
    fullName: z.string().optional(),
    groups: z.array(z.string()).optional(),
  }),
)

const EXAMPLE = '[{"login": "clerk", "password": "…", "groups": ["desk"]}]'

/** Reads the file. Throws UsageError, which never shows what stands in it, and FileError. */
export async function readServedUsers(path: string): Promise<readonly ServedUser[]> {
  const parsed = USERS.safeParse(parseJson(path, await readWhole(path)))
  if (parsed.success) return parsed.data.map(withoutAbsent)
  const [issue] = parsed.error.issues
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''
  throw new UsageError(`--users ${path}: ${where}${issue?.message ?? 'not a list of users'}; expected ${EXAMPLE}`)
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`--users ${path}: not JSON; expected ${EXAMPLE}`)
  }
}

function withoutAbsent({ fullName, groups, ...user }: z.infer<typeof USERS>[number]): ServedUser {
  return { ...user, ...(fullName !== undefined && { fullName }), ...(groups && { groups }) }
}
