// Composition: whether traces are kept, by the usual OTEL variables. Where they say nothing, nothing of OpenTelemetry is loaded.
import { NO_TRACING, type Tracing } from './log/tracing.js'
import type { SentTracing } from './tracing-sdk.js'

type Env = Readonly<Record<string, string | undefined>>

/** Tracing of this process. */
export interface ProcessTracing {
  readonly tracing: Tracing
  /** Runs a command within a span of its name, but for those that run until they are stopped: of them, each piece of work is a trace. */
  run(args: readonly string[], command: () => Promise<number>): Promise<number>
  /** Sends what is left, for so long as one sending may take. Never throws. */
  close(): Promise<void>
}

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
const TIMEOUTS = ['OTEL_EXPORTER_OTLP_TIMEOUT', 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT']
const LASTING = new Set(['watch', 'serve', 'simulator', 'console'])
/** A collector that is gone is worth one line in so long. */
const TROUBLE_EVERY_MS = 60_000

const OFF: ProcessTracing = { tracing: NO_TRACING, run: (_args, command) => command(), close: async () => {} }

/** Opens what the environment asks for. `warn` is told, now and then, that traces are not kept. */
export async function openTracing({
  env,
  version,
  warn,
}: {
  env: Env
  version: string
  warn: (line: string) => void
}): Promise<ProcessTracing> {
  if (!isAskedFor(env)) return OFF
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL
  if (protocol === 'grpc') {
    warn('OTEL_EXPORTER_OTLP_PROTOCOL=grpc: traces can be sent over HTTP only (http/json); none are sent')
    return OFF
  }
  const { startSdk } = await import('./tracing-sdk.js')
  const hasTimeout = TIMEOUTS.some((name) => env[name])
  const onTrouble = nowAndThen(warn)
  return tracingBy(startSdk({ version, hasTimeout, onTrouble }), onTrouble)
}

function isAskedFor(env: Env): boolean {
  const isOff = env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none'
  return !isOff && ENDPOINTS.some((name) => env[name])
}

function tracingBy(tracing: SentTracing, onTrouble: (message: string) => void): ProcessTracing {
  return {
    tracing,
    run(args, command) {
      const name = args.find((arg) => /^[a-z][a-z-]*$/.test(arg))
      if (name === undefined || args.some((arg) => LASTING.has(arg))) return command()
      return tracing.inSpan(`makegood ${name}`, { attributes: { command: name } }, async (span) => {
        const code = await command()
        span.note({ exitCode: code })
        return code
      })
    },
    close: () => tracing.close().catch((error: unknown) => onTrouble(`the last ones are lost: ${error}`)),
  }
}

function nowAndThen(warn: (line: string) => void): (message: string) => void {
  let saidAt = Number.NEGATIVE_INFINITY
  return (message) => {
    const now = performance.now()
    if (now - saidAt < TROUBLE_EVERY_MS) return
    saidAt = now
    warn(`traces: ${message}`)
  }
}
