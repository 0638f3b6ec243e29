// Composition: traces by OpenTelemetry's own packages, sent as OTLP over HTTP. Endpoint, headers, sampler, resource and limits are read from the
// usual OTEL variables by the packages themselves.
import {
  type Context,
  context,
  diag,
  type Link,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Span, SpanAttributes, TraceContext, Tracing } from './log/tracing.js'

/** How long one sending may take where the variables say nothing: a collector that hangs must not hold up the end of a command. */
const TIMEOUT_MS = 2_000

export interface SdkOptions {
  /** Of this program. */
  readonly version: string
  /** Whether the variables name a time-out of their own. */
  readonly hasTimeout: boolean
  /** Traces could not be sent; they are lost, and nothing else is. */
  readonly onTrouble: (message: string) => void
}

/** Traces, and how to send what is left of them. */
export interface SentTracing extends Tracing {
  close(): Promise<void>
}

/** Begins to send traces. */
export function startSdk({ version, hasTimeout, onTrouble }: SdkOptions): SentTracing {
  const silent = { info() {}, debug() {}, verbose() {} }
  diag.setLogger({ error: onTrouble, warn: onTrouble, ...silent })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const exporter = new OTLPTraceExporter(hasTimeout ? {} : { timeoutMillis: TIMEOUT_MS })
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'makegood', 'service.version': version }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  })
  const tracer = provider.getTracer('makegood', version)
  return {
    isOn: true,
    now: Date.now,
    inSpan(name, { attributes, parent, links = [], startedAt }, work) {
      const options = {
        ...(attributes && { attributes: sdkAttributes(attributes) }),
        links: links.map(linkTo),
        ...(startedAt !== undefined && { startTime: startedAt }),
      }
      return tracer.startActiveSpan(name, options, startOf(parent), (span) => runIn(span, work))
    },
    current: () => contextOf(trace.getActiveSpan()),
    close: () => provider.shutdown(),
  }
}

async function runIn<T>(span: SdkSpan, work: (span: Span) => Promise<T>): Promise<T> {
  const fail = (message: string) => void span.setStatus({ code: SpanStatusCode.ERROR, message })
  try {
    return await work({
      note: (attributes) => void span.setAttributes(sdkAttributes(attributes)),
      link: (one) => void span.addLink(linkTo(one)),
      fail,
    })
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
    throw error
  } finally {
    span.end()
  }
}

function sdkAttributes(attributes: SpanAttributes): Record<string, string | number | boolean | string[]> {
  const copied = Object.entries(attributes).map(([name, value]) => [
    `makegood.${name}`,
    typeof value === 'object' ? [...value] : value,
  ])
  return Object.fromEntries(copied)
}

function contextOf(span: SdkSpan | undefined): TraceContext | undefined {
  if (!span) return undefined
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  const state = traceState?.serialize()
  const flags = traceFlags.toString(16).padStart(2, '0')
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(state && { tracestate: state }) }
}

function spanContextOf({ traceparent }: TraceContext) {
  const [, traceId = '', spanId = '', flags = '0'] = traceparent.split('-')
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}

function startOf(parent: TraceContext | null | undefined): Context {
  if (parent === undefined) return context.active()
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent))
}

function linkTo(one: TraceContext): Link {
  return { context: spanContextOf(one) }
}
