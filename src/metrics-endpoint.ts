// Composition: metrics and health of a watch over HTTP, for Prometheus and for whoever restarts what hangs.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MetricsEndpoint, MetricsEndpointOptions } from './cli/context.js'
import { PortTakenError } from './cli/exit-codes.js'

/** Answers GET /metrics, /health/live and /health/ready. Throws PortTakenError. */
export async function openMetricsEndpoint(options: MetricsEndpointOptions): Promise<MetricsEndpoint> {
  const { port, host } = options
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'GET only\n')
    void route(request.url ?? '/', response, options)
  })
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new PortTakenError(`${host}:${port} cannot be listened on: ${messageOf(error)}`, { cause: error })
  }
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
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
