// Where this server answers otherwise than a real one on purpose: the case, the part of its result, what is answered, and why.
// Each is listed in docs/server.md as well. A case that is not here must be equal.

export interface Departure {
  readonly case: string
  /** Keys into the result; none: the result as a whole. */
  readonly at: readonly string[]
  readonly ours: unknown
}

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
  'event_store.client.monitoring.monitoring stats',
  ...['mergeindexes', 'restartpersistentsubscriptions', 'shutdown'].map(
    (method) => `event_store.client.operations.operations ${method}`,
  ),
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

const PROJECTION_METHODS = ['disable', 'enable', 'reset', 'restartsubsystem', 'result', 'state', 'statistics'].map(
  (method) => `event_store.client.projections.projections ${method}`,
)

// Of HTTP there is what scripts and containers probe; the rest is refused as not implemented.
const NOT_IMPLEMENTED = { status: 501, contentType: 'text/plain; charset=utf-8', bodyBytes: 'some' }
const HTTP: Departure[] = [
  '/info/options',
  '/web',
  '/web/index.html',
  '/',
  '/metrics',
  '/streams/$S',
  '/streams/$S/0',
  '/streams/$MISSING',
  '/streams/$GONE',
  '/streams/$all',
  '/subscriptions/$S/$NOGROUP',
  '/users',
  '/users/$current',
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

// Only what is known is told: this runtime counts no contention and no thrown exceptions.
const STATS: Departure[] = ['anonymousGET', 'adminGET'].map((at) => ({
  case: 'http//stats/proc',
  at: [at, 'jsonKeys'],
  ours: ['startTime', 'id', 'mem', 'cpu', 'heap', 'diskIo', 'contextSwitches'],
}))

// Projections in JavaScript are refused by name.
const NO_PROJECTION = { type: 'not-found', code: 5, message: "5 NOT_FOUND: Projection '$PROJ' not found" }
const refused = (method: string, why: string) => ({
  type: 'unknown',
  code: 12,
  message: `12 UNIMPLEMENTED: Projections.${method} is not supported: this server ${why}.`,
})
const NO_JAVASCRIPT = 'runs no projections in JavaScript, only the five system projections'
const CUSTOM_PROJECTION: Departure[] = Object.entries({
  create: refused('Create', NO_JAVASCRIPT),
  again: refused('Create', NO_JAVASCRIPT),
  delete: refused('Delete', 'has only the five system projections, which can be disabled and not deleted'),
  state: NO_PROJECTION,
  status: NO_PROJECTION,
  disable: NO_PROJECTION,
  statusAfter: NO_PROJECTION,
}).map(([at, err]) => ({ case: 'projections/create-one', at: [at], ours: { err } }))

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
  ...HTTP,
  ...STATS.slice(0, 1),
  HTTP_APPEND,
  ...CUSTOM_PROJECTION,
  ...GROUPS,
]

/** In the order in which they are told, which is that of their names. */
function secureMethods(): string[] {
  return [...OWN_METHODS, ...USER_METHODS, ...PROJECTION_METHODS].sort()
}

export const SECURE_DEPARTURES: readonly Departure[] = [
  { case: 'features/supported-methods', at: ['methods'], ours: secureMethods() },
  ...HTTP,
  ...STATS.slice(1),
  HTTP_APPEND,
  MALFORMED,
]

// Positions differ from home to home: in the embedded store a record stands at 1/1.
export const EMBEDDED_DEPARTURES: readonly Departure[] = [
  ...INSECURE_DEPARTURES,
  { case: 'read/all/edges', at: ['from 1/1'], ours: 3 },
]
