// A collector of traces on a free port: takes OTLP over HTTP as JSON, and keeps the spans; or hangs.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CollectedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status?: { readonly code?: number; readonly message?: string }
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: CollectedSpan['attributes'] }
    readonly scopeSpans: readonly { readonly spans: readonly CollectedSpan[] }[]
  }[]
}

export class TraceCollector {
  readonly spans: CollectedSpan[] = []
  readonly resources: Record<string, unknown>[] = []
  readonly headers: IncomingMessage['headers'][] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** `hangs`: it takes requests and never answers. */
  static async open({ hangs = false } = {}): Promise<TraceCollector> {
    const server = createServer()
    const collector = new TraceCollector(server)
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      collector.headers.push(request.headers)
      if (hangs) return
      collector.#take(JSON.parse(Buffer.concat(chunks).toString()) as Request)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return collector
  }

  /** What makes a process send its traces here. */
  get env(): Record<string, string> {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` }
  }

  named(name: string): CollectedSpan[] {
    return this.spans.filter((span) => span.name === name)
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #take({ resourceSpans }: Request): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resources.push(attributesOf(resource))
      for (const { spans } of scopeSpans) this.spans.push(...spans)
    }
  }
}

/** Attributes by name: strings, numbers, and lists of strings. */
export function attributesOf({ attributes }: Pick<CollectedSpan, 'attributes'>): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainOf(value)]))
}

function plainOf(value: Readonly<Record<string, unknown>>): unknown {
  const [plain] = Object.values(value)
  const { values } = (plain ?? {}) as { values?: readonly Record<string, unknown>[] }
  return values ? values.map(plainOf) : plain
}
