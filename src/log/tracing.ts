// The PORT to whoever keeps traces, and the trace context that an event's metadata carries (W3C: traceparent, tracestate), so that what an event
// leads to can be followed from one process to the next. Nothing of it changes what is done, nor any id.

/** A place in a trace. */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate?: string
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>

export interface SpanOptions {
  readonly attributes?: SpanAttributes
  /** What it goes on from, also of another process; null: nothing, it begins a trace; left out: the span around it. */
  readonly parent?: TraceContext | null
  /** What else led to it. */
  readonly links?: readonly TraceContext[]
  /** As `now` told it; left out: when the span is opened. */
  readonly startedAt?: number | undefined
}

/** A span while it is open. */
export interface Span {
  note(attributes: SpanAttributes): void
  link(context: TraceContext): void
  /** What it stands for did not succeed. A throw says so by itself. */
  fail(why: string): void
}

export interface Tracing {
  /** Whether anybody listens: only then is it worth while to look for contexts. */
  readonly isOn: boolean
  /** Milliseconds since the Unix epoch, for a span that is opened later. */
  now(): number
  /** Does work within a span; spans within it are its children. Throws what the work throws. */
  inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>
  /** The span around, for an event's metadata; undefined where there is none. */
  current(): TraceContext | undefined
}

const NO_SPAN: Span = { note() {}, link() {}, fail() {} }

/** Nobody listens. */
export const NO_TRACING: Tracing = {
  isOn: false,
  now: () => 0,
  inSpan: (_name, _options, work) => work(NO_SPAN),
  current: () => undefined,
}

const TRACEPARENT = /^[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
const NAME = '"traceparent"'

/** The trace context in an event's metadata; undefined where there is none. */
export function traceContextIn(metadata: Uint8Array): TraceContext | undefined {
  if (!Buffer.from(metadata.buffer, metadata.byteOffset, metadata.length).includes(NAME)) return undefined
  const { traceparent, tracestate } = objectIn(metadata)
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return undefined
  return { traceparent, ...(typeof tracestate === 'string' && { tracestate }) }
}

function objectIn(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
