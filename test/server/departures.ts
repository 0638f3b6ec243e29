// Where this server answers otherwise than a real one on purpose: the case, the part of its result, what is answered, and why.
// Each is listed in docs/server.md as well. A case that is not here must be equal.

export interface Departure {
  readonly case: string
  /** Keys into the result; none: the result as a whole. */
  readonly at: readonly string[]
  readonly ours: unknown
}

const NOT_SUPPORTED = 'is not supported by this server.'

// An empty append takes no place in the log; it is given the position up to which it looked, from which one can read and subscribe.
const END_OF_LOG = 'that of the original append'

const EMPTY_APPENDS: Departure[] = [
  ...['any', '2', 'streamExists'].map((expected) => ({
    case: `append/live/${expected}/empty`,
    at: ['bothPaths', 'position'],
    ours: END_OF_LOG,
  })),
  ...['any', '2', 'streamExists'].map((expected) => ({
    case: 'append/maxcount1/each-expected/empty',
    at: [expected, 'bothPaths', 'position'],
    ours: END_OF_LOG,
  })),
]

// Calls that a real server never answers end with an error.
const NEVER_ANSWERED: Departure[] = [
  {
    case: 'read/all-filter/window-max-0',
    at: [],
    ours: {
      messages: [],
      status: { code: 3, details: 'The maximum search window must be greater than 0', trailers: {} },
    },
  },
  {
    case: 'read/all/edges',
    at: ['maxCount 0'],
    ours: { type: 'unknown', code: 2, message: '2 UNKNOWN: Unexpected ReadAllResult: Error' },
  },
  {
    case: 'errors/insecure/users',
    at: ['create'],
    ours: { code: 12, details: 'Users are kept only by a server with TLS', trailers: {} },
  },
]

// Only what is answered is advertised.
const OWN_METHODS = [
  'event_store.client.gossip.gossip read',
  ...['create', 'delete', 'getinfo', 'list', 'read', 'replayparked', 'restartsubsystem', 'update'].map(
    (method) => `event_store.client.persistent_subscriptions.persistentsubscriptions ${method} [stream,all]`,
  ),
  'event_store.client.server_features.serverfeatures getsupportedmethods',
  'event_store.client.streams.streams append',
  'event_store.client.streams.streams batchappend [deadline_duration]',
  'event_store.client.streams.streams delete',
  'event_store.client.streams.streams read [position,events]',
  'event_store.client.streams.streams tombstone',
]
const USER_METHODS = [
  'changepassword',
  'create',
  'delete',
  'details',
  'disable',
  'enable',
  'resetpassword',
  'update',
].map((method) => `event_store.client.users.users ${method}`)

const MONITORING: Departure = {
  case: 'features/monitoring-stats',
  at: [],
  ours: { code: 12, details: `event_store.client.monitoring.Monitoring ${NOT_SUPPORTED}`, trailers: {} },
}

// Of HTTP there is what scripts and containers probe; the rest is refused as not implemented.
const NOT_IMPLEMENTED = { status: 501, contentType: 'text/plain; charset=utf-8', bodyBytes: 'some' }
const HTTP: Departure[] = [
  '/info/options',
  '/stats',
  '/stats/proc',
  '/web',
  '/web/index.html',
  '/',
  '/metrics',
  '/streams/$S',
  '/streams/$S/0',
  '/streams/$MISSING',
  '/streams/$GONE',
  '/streams/$all',
  '/subscriptions',
  '/subscriptions/$S/$NOGROUP',
  '/users',
  '/users/$current',
  '/projections/any',
  '/projection/$by_category',
  '/projection/$by_category/statistics',
  '/histogram/writer-flush',
].map((path) => ({
  case: `http/${path}`,
  at: [],
  ours: {
    anonymousGET: NOT_IMPLEMENTED,
    adminGET: 'same',
    adminGETnoAccept: 'same',
    adminHEAD: { ...NOT_IMPLEMENTED, bodyBytes: 0 },
  },
}))
const HTTP_APPEND: Departure = {
  case: 'http/POST-append-event',
  at: [],
  ours: { r: { status: 501 }, content: 'stream-not-found' },
}

const GROUPS: Departure[] = [
  // A real server never answers.
  {
    case: 'persistent/create/on-empty-stream-name',
    at: [],
    ours: {
      err: {
        type: 'unknown',
        code: 3,
        message: '3 INVALID_ARGUMENT: A group needs a stream: its name is empty',
      },
    },
  },
  // What was acknowledged does not come again over a stop in order; on a real server b does, as no checkpoint covers it.
  {
    case: 'persistent/checkpoint/resume-after-new-consumer',
    at: ['second'],
    ours: ['confirmation', 'c retry=0', 'd retry=0'],
  },
]

// A header that is no credentials is answered as wrong credentials, not as a failure of the server.
const MALFORMED: Departure = {
  case: 'errors/secure/raw-trailers',
  at: ['malformed authorization'],
  ours: { code: 16, details: 'Unauthenticated', trailers: {} },
}

export const INSECURE_DEPARTURES: readonly Departure[] = [
  ...EMPTY_APPENDS,
  ...NEVER_ANSWERED,
  { case: 'features/supported-methods', at: ['methods'], ours: OWN_METHODS },
  MONITORING,
  ...HTTP,
  HTTP_APPEND,
  ...GROUPS,
]

export const SECURE_DEPARTURES: readonly Departure[] = [
  { case: 'features/supported-methods', at: ['methods'], ours: [...OWN_METHODS, ...USER_METHODS] },
  MONITORING,
  ...HTTP,
  HTTP_APPEND,
  MALFORMED,
]

// Positions differ from home to home: in the embedded store a record stands at 1/1.
export const EMBEDDED_DEPARTURES: readonly Departure[] = [
  ...INSECURE_DEPARTURES,
  { case: 'read/all/edges', at: ['from 1/1'], ours: 3 },
]
