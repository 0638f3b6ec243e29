// A TCP proxy that cuts connections in the middle of whatever they carry.
import net, { type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface CuttingProxy {
  readonly port: number
  /** How many connections were cut so far. */
  readonly cuts: number
  /** From now on connections live. */
  heal(): void
}

/**
 * Stands before a port. Each connection is cut after some bytes in one of the two directions: `bytesUntilCut` says after how many, none where
 * it gives undefined. What was on its way is lost.
 */
export async function startCuttingProxy(
  target: number,
  bytesUntilCut: () => { readonly toServer: number; readonly toClient: number } | undefined,
): Promise<CuttingProxy> {
  let isHealed = false
  let cuts = 0
  const sockets = new Set<Socket>()
  const server = net.createServer((client) => {
    const upstream = net.connect(target, '127.0.0.1')
    const limits = isHealed ? undefined : bytesUntilCut()
    const left = { toServer: limits?.toServer ?? Infinity, toClient: limits?.toClient ?? Infinity }
    const cut = () => {
      client.destroy()
      upstream.destroy()
    }
    const pass = (from: Socket, to: Socket, direction: keyof typeof left) => {
      sockets.add(from)
      from.on('data', (chunk) => {
        const bytes = isHealed ? chunk : chunk.subarray(0, left[direction])
        left[direction] -= chunk.length
        if (!to.write(bytes)) from.pause()
        if (bytes.length === chunk.length) return
        cuts += 1
        cut()
      })
      to.on('drain', () => from.resume())
      from.on('error', cut)
      from.on('close', () => {
        sockets.delete(from)
        cut()
      })
    }
    pass(client, upstream, 'toServer')
    pass(upstream, client, 'toClient')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts
    },
    heal: () => {
      isHealed = true
    },
  }
}
