// A file of JSON lines that is only ever appended to; a line is told as written when it would survive the loss of power. One
// process at a time has it open.
import { createHash } from 'node:crypto'
import { open, readFile, realpath } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { dirname } from 'node:path'

/** The file cannot be opened, read or written; after a failed write nothing more is written by this process. */
export class LinesUnusableError extends Error {
  override readonly name = 'LinesUnusableError'
}

export interface DurableLines {
  /** Lines are in the file in the order of the calls. Rejects with LinesUnusableError. */
  append(value: unknown): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the file, made where it is not there, and gives what it holds to `onLine` in order. A torn last line is cut off: nobody
 * was told that it was written. Throws LinesUnusableError, also where a whole line is not JSON or another process has the file.
 */
export async function openDurableLines(path: string, onLine: (value: unknown) => void): Promise<DurableLines> {
  const file = await open(path, 'a+').catch((cause) => {
    throw new LinesUnusableError(`${path} cannot be opened`, { cause })
  })
  let lock: Server | undefined
  try {
    lock = await lockOf(await realpath(path))
    const whole = await readFile(path)
    const end = whole.lastIndexOf('\n') + 1
    if (end < whole.length) await file.truncate(end)
    await file.datasync()
    await syncFolder(dirname(path))
    for (const line of whole.toString('utf8', 0, end).split('\n')) {
      if (line !== '') onLine(parsed(line, path))
    }
  } catch (error) {
    lock?.close()
    await file.close()
    throw error
  }
  const write = groupedWriter(async (text) => {
    await file.appendFile(text)
    await file.datasync()
  })
  return {
    append: (value) => write.add(`${JSON.stringify(value)}\n`),
    close: async () => {
      await write.settled()
      await file.close()
      lock.close()
    },
  }
}

function parsed(line: string, path: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new LinesUnusableError(`${path} holds a line that is not JSON`, { cause })
  }
}

/** The file's name must survive as well as its bytes. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

/**
 * Holds a name that the kernel frees when the process ends, however it ends: a socket in Linux's abstract namespace. Elsewhere there
 * is no such name, and nothing is held.
 */
async function lockOf(path: string): Promise<Server> {
  const server = createServer()
  if (process.platform !== 'linux') return server
  const name = `\0makegood-lines-${createHash('sha256').update(path).digest('hex')}`
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new LinesUnusableError(`${path} is open in another process`, { cause })))
    server.listen(name, resolve)
  })
  server.unref()
  return server
}

/** Writes what came while the last write was under way in one go, so that many askers share one fsync. */
function groupedWriter(write: (text: string) => Promise<void>) {
  let pending: string[] = []
  let next: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()
  const flush = async (before: Promise<void>) => {
    // A failed write fails all later ones: after a failed fsync nobody knows what the disk holds.
    await before
    const text = pending.join('')
    pending = []
    next = undefined
    await write(text).catch((cause) => {
      throw new LinesUnusableError('The file cannot be written', { cause })
    })
  }
  return {
    add(text: string): Promise<void> {
      pending.push(text)
      if (!next) {
        next = flush(last)
        last = next
      }
      return next
    },
    settled: () => last.catch(() => undefined),
  }
}
