// A webhook's receiver on a free port, that answers as it is told and keeps what it took.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AlertRecord } from '../../src/watch/alert.js'

export class Receiver {
  readonly got: {
    readonly record: AlertRecord
    readonly body: string
    readonly headers: IncomingMessage['headers']
  }[] = []
  /** What it answers next; undefined: nothing at all. */
  answer: number | undefined = 200
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(): Promise<Receiver> {
    const server = createServer()
    const receiver = new Receiver(server)
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks).toString()
      if (receiver.answer === undefined) return
      if (receiver.answer < 300) receiver.got.push({ record: JSON.parse(body), body, headers: request.headers })
      response.writeHead(receiver.answer, { location: 'http://127.0.0.1:1/' }).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return receiver
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/alerts`)
  }

  get changes(): string[] {
    return this.got.map(({ record }) => `${record.change} ${record.subject}`)
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
