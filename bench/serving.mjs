// `makegood serve` in a process of its own, for benches.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Serves a store; gives its connection string, the process and how to stop it. */
export async function startServing(main, store) {
  const server = spawn(process.execPath, [main, 'serve', '--insecure', '--port', '0', '--store', store])
  const stop = async () => {
    server.kill()
    if (server.exitCode === null) await once(server, 'exit')
  }
  for await (const line of createInterface({ input: server.stdout })) {
    const found = /esdb:\/\/[^\s"]+/.exec(line)
    if (found) return { where: found[0], server, stop }
  }
  throw new Error('serve ended before it answered')
}
