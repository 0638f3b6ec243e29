// A lock on a file that ends with its holder, however it ends: a name that only one process can listen on.
import { createHash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Lets go of the lock. */
export type Unlock = () => Promise<void>

/**
 * Takes the lock of a file by its real path, in this network namespace (on Linux, two containers that share a folder do not see each
 * other's locks). Undefined where another holder has it. Throws what the operating system says.
 */
export async function tryLock(
  realPath: string,
  platform: NodeJS.Platform = process.platform,
): Promise<Unlock | undefined> {
  const address = addressOf(realPath, platform)
  const server = (await listen(address)) ?? (await listenInsteadOfDead(address))
  return server && (() => new Promise((resolve) => server.close(() => resolve())))
}

/** On Linux an abstract socket and on Windows a pipe: both vanish with the process. Elsewhere a socket file. */
function addressOf(realPath: string, platform: NodeJS.Platform): string {
  const name = `makegood-${createHash('sha256').update(realPath).digest('hex').slice(0, 32)}`
  if (platform === 'linux') return `\0${name}`
  return platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`)
}

/** Undefined where somebody listens there, or did and left the file of a socket. */
function listen(address: string): Promise<Server | undefined> {
  const server = createServer((connection) => connection.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(address, () => resolve(server.unref()))
  })
}

/** The file of a socket outlives a holder that was killed: where nobody answers, it is taken away. */
async function listenInsteadOfDead(address: string): Promise<Server | undefined> {
  if (!address.endsWith('.sock') || (await isAnswered(address))) return undefined
  await unlink(address).catch(() => {})
  return listen(address)
}

function isAnswered(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(address)
    connection.once('connect', () => resolve(true)).once('error', () => resolve(false))
    connection.once('connect', () => connection.destroy())
  })
}
