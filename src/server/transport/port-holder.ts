// Who listens on a port, where the system tells (Linux: /proc): a port that is taken is more use with the name of its holder.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
/** How the kernel writes a socket that listens. */
const LISTENS = '0A'

/** The process that listens on a port: "node (process 4711)". Undefined where it cannot be seen. */
export function holderOfPort(port: number): string | undefined {
  try {
    const inodes = new Set(TABLES.flatMap((table) => listeningInodes(readFileSync(table, 'utf8'), port)))
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holdsOneOf(name, inodes))
    return pid && `${programOf(pid)} (process ${pid})`
  } catch {
    // Another system, or a process that ended meanwhile: it is only a hint.
    return undefined
  }
}

/** By the command line: the name that the kernel keeps is that of a thread, which a program may change. */
function programOf(pid: string): string {
  return basename(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '')
}

/** The sockets of a table that listen on a port. */
function listeningInodes(table: string, port: number): string[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(ending) && state === LISTENS)
    .map((fields) => fields[9] ?? '')
}

function holdsOneOf(pid: string, inodes: ReadonlySet<string>): boolean {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).some((fd) => inodes.has(inodeOf(readlinkSync(`${folder}/${fd}`))))
  } catch {
    // Another user's process.
    return false
  }
}

function inodeOf(link: string): string {
  return /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ''
}
