// Where a node listens.

export interface Endpoint {
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

/** `host:port`, an IPv6 address in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

export function sameEndpoint(a: Endpoint | undefined, b: Endpoint | undefined): boolean {
  return a !== undefined && b !== undefined && a.host === b.host && a.port === b.port
}
