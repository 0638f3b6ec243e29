// Composition: metrics and health of a watch over HTTP, for Prometheus and for whoever restarts what hangs.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface MetricsEndpointOptions {
  /** 0: any free port. */
  readonly port: number
  /** Default this machine only. */
  readonly host?: string
  /** The metrics in Prometheus's text format. */
  readonly metrics: () => Promise<string>
  /** Why the process should be restarted; undefined while it is well. */
  readonly unhealthy: () => string | undefined
  /** Why nothing should rely on it now; undefined while it is ready. */
  readonly unready: () => string | undefined
}

export interface MetricsEndpoint {
  readonly port: number
  close(): Promise<void>
}

/** Answers GET /metrics, /health/live and /health/ready. Rejects where the port is taken. */
export async function openMetricsEndpoint(options: MetricsEndpointOptions): Promise<MetricsEndpoint> {
  const { port, host = '127.0.0.1' } = options
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'GET only\n')
    void route(request.url ?? '/', response, options)
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function route(url: string, response: ServerResponse, options: MetricsEndpointOptions): Promise<void> {
  switch (url.split('?', 1)[0]) {
    case '/metrics':
      return answer(response, 200, await options.metrics(), 'text/plain; version=0.0.4; charset=utf-8')
    case '/health/live':
      return answerHealth(response, options.unhealthy())
    case '/health/ready':
      return answerHealth(response, options.unready())
    default:
      return answer(response, 404, 'Not found; there are /metrics, /health/live and /health/ready\n')
  }
}

function answerHealth(response: ServerResponse, why: string | undefined): void {
  answer(response, why === undefined ? 200 : 503, `${why ?? 'ok'}\n`)
}

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}
