// An authority whose calls are spans of a trace: how long whoever is asked outside of the log took to answer, and what they said.
import type { Span, Tracing } from '../log/tracing.js'
import type { Authority, AuthorityCall } from './authority.js'

/** The same authority, its calls traced. */
export function tracedAuthority(authority: Authority, tracing: Tracing): Authority {
  const traced = <Result extends { readonly kind: string; readonly message?: string }>(
    what: 'lookUp' | 'issue',
    { key }: AuthorityCall,
    ask: () => Promise<Result>,
  ) =>
    tracing.inSpan(`authority.${what}`, { attributes: { authority: authority.name, key } }, async (span) => {
      const result = await ask()
      noteResult(span, result)
      return result
    })
  return {
    name: authority.name,
    ...(authority.admits && { admits: authority.admits.bind(authority) }),
    lookUp: (call) => traced('lookUp', call, () => authority.lookUp(call)),
    issue: (call) => traced('issue', call, () => authority.issue(call)),
  }
}

function noteResult(span: Span, { kind, message }: { readonly kind: string; readonly message?: string }): void {
  span.note({ result: kind })
  if (kind === 'unknown' || kind === 'refused') span.fail(message ?? kind)
}
