// The shape of a projection, looked at field by field before it is run: projections come from people's own modules, and a wrong one
// should be told by the name of its field, not by a crash in the middle of a replay.

const NAME = /^[a-z][a-z0-9-]*$/
const DISPOSITIONS: ReadonlySet<unknown> = new Set(['repair', 'person', 'never', 'observe'])
const SEVERITIES: ReadonlySet<unknown> = new Set([1, 2, 3, 4])

/** Rules of the engine itself: they hold for every projection. */
const RESERVED_RULES: ReadonlySet<string> = new Set(['history-incomplete', 'unknown-event'])

type Fields = Readonly<Record<string, unknown>>

/** What is wrong with an object that should be a projection: the first field that cannot be used, and what was expected. */
export function problemOfProjection(projection: unknown): string | undefined {
  if (!isObject(projection)) return 'a projection is an object; make it with defineProjection({…})'
  // One after the other: each may rely on the ones before it having found nothing.
  for (const problem of problemsOf(projection)) return problem
  return undefined
}

function* problemsOf(p: Fields): Iterable<string> {
  const { name } = p
  if (typeof name !== 'string' || !NAME.test(name)) yield `name: expected kebab-case, found ${JSON.stringify(name)}`
  for (const problem of problemsOfFields(p)) yield `${name}: ${problem}`
}

function* problemsOfFields(p: Fields): Iterable<string> {
  const { version, categories, rules, sharedKeys = [], settlement, lookups, live } = p
  if (typeof version !== 'string' || version === '') yield 'version: expected text such as "1"'
  if (!isListOfCategories(categories)) {
    yield 'categories: expected stream categories, each once and without "-" or "$", such as ["payment", "ticket"]'
  }
  yield* problemsOfSchemas(p.events)
  if (p.upcasts !== undefined) yield* problemsOfUpcasts(p.upcasts, p.events as Fields)
  yield* missingFunctions(p, ['initial', 'evolve'])
  if (!Array.isArray(rules)) yield 'rules: expected a list'
  if (!Array.isArray(sharedKeys)) yield 'sharedKeys: expected a list'
  yield* problemsOfRules(rules as unknown[], sharedKeys as unknown[])
  for (const name of ['occurredAt', 'compensate', 'unmetGuards'])
    if (p[name] !== undefined) yield* missingFunctions(p, [name])
  if (settlement !== undefined) yield* problemsOfSettlement(settlement)
  if (lookups !== undefined) yield* problemsOfLookups(lookups, rules as Fields[])
  if (p.settledBy !== undefined) yield* problemsOfSettledBy(p)
  if (live !== undefined) yield* problemsOfLiveView(live)
}

function* problemsOfSettledBy({ settledBy, categories, events, sharedKeys }: Fields): Iterable<string> {
  if (!(categories as unknown[]).includes(settledBy)) yield 'settledBy: expected one of the categories'
  if (Object.keys(events as Fields).join() !== '*') yield "settledBy: expected events to have no other type than '*'"
  if (sharedKeys !== undefined) yield 'settledBy: cannot be where there are sharedKeys'
}

function* problemsOfLookups(lookups: unknown, rules: readonly Fields[]): Iterable<string> {
  if (!isObject(lookups)) {
    yield 'lookups: expected functions by name'
    return
  }
  yield* prefixed('lookups: ', missingFunctions(lookups as Fields, Object.keys(lookups as Fields)))
  for (const { id, uses = [] } of rules) {
    for (const name of uses as string[])
      if (!Object.hasOwn(lookups as Fields, name)) yield `rules: ${id}: uses: no lookup ${name}`
  }
}

function* problemsOfSchemas(events: unknown): Iterable<string> {
  if (!isObject(events)) yield 'events: expected zod schemas by event type'
  for (const [type, schema] of Object.entries(events as Fields)) {
    if (!isObject(schema) || typeof schema.safeParse !== 'function') yield `events: ${type}: expected a zod schema`
  }
}

function* problemsOfUpcasts(upcasts: unknown, events: Fields): Iterable<string> {
  if (!isObject(upcasts)) yield 'upcasts: expected functions by event type and version'
  for (const [type, steps] of Object.entries(upcasts as Fields)) {
    if (!Object.hasOwn(events, type)) yield `upcasts: ${type}: no schema in events has this type`
    if (!isObject(steps)) yield `upcasts: ${type}: expected functions by version, such as { 1: (data) => ({ … }) }`
    // Whole numbers come first and in order, whatever the order in which they were written.
    const versions = Object.keys(steps as Fields)
    const gap = versions.findIndex((version, index) => version !== String(index + 1))
    if (gap >= 0) yield `upcasts: ${type}: ${versions[gap]}: expected versions from 1 on without a gap`
    yield* prefixed(`upcasts: ${type}: `, missingFunctions(steps as Fields, versions))
  }
}

function* problemsOfRules(rules: readonly unknown[], sharedKeys: readonly unknown[]): Iterable<string> {
  const seen = new Set<string>()
  for (const rule of [...rules, ...sharedKeys]) {
    if (!isObject(rule)) yield `rules: expected objects, found ${JSON.stringify(rule)}`
    yield* problemsOfHead(rule as Fields, seen)
  }
  for (const rule of rules as Fields[]) yield* prefixed(`${rule.id}: `, problemsOfRule(rule))
  for (const rule of sharedKeys as Fields[]) yield* prefixed(`${rule.id}: `, missingFunctions(rule, ['keys']))
}

function* problemsOfHead({ id, severity, disposition }: Fields, seen: Set<string>): Iterable<string> {
  if (typeof id !== 'string' || !NAME.test(id)) yield `rules: id: expected kebab-case, found ${JSON.stringify(id)}`
  if (seen.has(id as string)) yield `rules: ${id} is there twice`
  if (RESERVED_RULES.has(id as string)) yield `rules: ${id} is the engine's own; choose another id`
  if (!SEVERITIES.has(severity)) yield `${id}: severity: expected 1 (worst) to 4`
  if (!DISPOSITIONS.has(disposition)) yield `${id}: disposition: expected repair, person, never or observe`
  seen.add(id as string)
}

function* problemsOfRule(rule: Fields): Iterable<string> {
  const { when, each } = rule
  if (!isObject(when)) yield 'when: expected conditions by name'
  yield* prefixed('when: ', missingFunctions(when as Fields, Object.keys(when as Fields)))
  if (each !== undefined) yield* missingFunctions(rule, ['each'])
  yield* missingFunctions(rule, ['evidence'])
}

function* problemsOfSettlement(settlement: unknown): Iterable<string> {
  if (!isObject(settlement)) yield 'settlement: expected an object'
  const { isRecorded } = settlement as Fields
  const needed = ['claim', 'issued', 'failed', 'isUnderWay', ...(isRecorded === undefined ? [] : ['isRecorded'])]
  yield* prefixed('settlement: ', missingFunctions(settlement as Fields, needed))
}

function* problemsOfLiveView(live: unknown): Iterable<string> {
  if (!isObject(live)) yield 'live: expected an object'
  const fields = live as Fields
  const optional = ['tookMs', 'valueAtStake', 'lostAt', 'page'].filter((name) => fields[name] !== undefined)
  yield* prefixed('live: ', missingFunctions(fields, ['deadlines', ...optional]))
  const { flow } = fields
  if (flow !== undefined && !(isObject(flow) && Array.isArray(flow.from) && Array.isArray(flow.to)))
    yield 'live: flow: expected event types, such as { from: ["PaymentCaptured"], to: ["TicketIssued"] }'
}

function* missingFunctions(owner: Fields, names: readonly string[]): Iterable<string> {
  for (const name of names) if (typeof owner[name] !== 'function') yield `${name}: expected a function`
}

function* prefixed(prefix: string, problems: Iterable<string>): Iterable<string> {
  for (const problem of problems) yield prefix + problem
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

function isListOfCategories(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false
  return value.every(isCategory) && new Set(value).size === value.length
}

function isCategory(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !/[-$]/.test(value) && !value.startsWith('makegood.')
}
