// Methods of EventStoreDB that this server has on purpose not, each with the sentence that its callers are told.

const PROJECTIONS = '/event_store.client.projections.Projections'
const OPERATIONS = '/event_store.client.operations.Operations'
const REDACTION = '/event_store.client.redaction.Redaction'

const NO_JAVASCRIPT = 'this server runs no projections in JavaScript, only the five system projections'
const NO_SCAVENGE = 'this server keeps every event, there is nothing to scavenge'
const ONE_NODE = 'this server is the only node, and always the leader'
const NO_REDACTION = 'this server keeps every event as it was written'

const WHY: Readonly<Record<string, string>> = {
  [`${PROJECTIONS}/Create`]: NO_JAVASCRIPT,
  [`${PROJECTIONS}/Update`]: NO_JAVASCRIPT,
  [`${PROJECTIONS}/Delete`]: 'this server has only the five system projections, which can be disabled and not deleted',
  [`${OPERATIONS}/StartScavenge`]: NO_SCAVENGE,
  [`${OPERATIONS}/StopScavenge`]: NO_SCAVENGE,
  [`${OPERATIONS}/ResignNode`]: ONE_NODE,
  [`${OPERATIONS}/SetNodePriority`]: ONE_NODE,
  [`${REDACTION}/GetEventPositions`]: NO_REDACTION,
  [`${REDACTION}/SwitchChunks`]: NO_REDACTION,
}

/** The sentence for a path, by the name of its method; undefined where the method is not refused on purpose. */
export function refusalOf(path: string): string | undefined {
  const why = Object.hasOwn(WHY, path) ? WHY[path] : undefined
  return why && `${path.replace(/^.*\.(\w+)\/(\w+)$/, '$1.$2')} is not supported: ${why}.`
}
