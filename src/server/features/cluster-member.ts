// The one member of the cluster that this server is.

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Where a client finds this server: under the name by which it called, whatever stands between. */
export function endpointOf(authority: string): Endpoint {
  const url = URL.canParse(`http://${authority}`) ? new URL(`http://${authority}`) : undefined
  const host = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? ''
  return { host, port: Number(url?.port || 80) }
}
