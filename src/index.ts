// The library's public face: `import { openStore, replay, scan, plan, apply, verify, defineProjection } from 'makegood'`.
export { type Bisection, type BisectOptions, bisect } from './engine/bisect.js'
export { type Comparison, compareMoments, compareRules } from './engine/compare.js'
export { type Cut, CutError, type CutSpec, resolveCut } from './engine/cut.js'
export type { Finding } from './engine/finding.js'
export { histogramOf } from './engine/histogram.js'
export type { JsonObject, JsonValue } from './engine/json.js'
export type { Moment } from './engine/moment.js'
export {
  type DecodedEvent,
  type Disposition,
  defineProjection,
  type EventRef,
  type Evidence,
  type Intent,
  InvalidProjectionError,
  type Projection,
  type Rule,
  rule,
} from './engine/projection.js'
export { type ReplayOptions, type ReplayResult, replay, type ScanSummary } from './engine/replay.js'
export { scan } from './engine/scan.js'
export { loadProjection } from './load-projection.js'
export type { EventBatch, ProposedEvent, RecordedEvent } from './log/event.js'
export { jsonEvent } from './log/event.js'
export type { AppendResult, EventReader, EventStore } from './log/event-store.js'
export type { Position } from './log/position.js'
export { StoreCorruptError, StoreUnavailableError } from './log/store-errors.js'
export { parseTicks } from './log/ticks.js'
export { openStore } from './open-store.js'
export { type ApplyOptions, type ApplySummary, ApprovalError, applyPlan as apply } from './repair/apply.js'
export type { Authority } from './repair/authority.js'
export { PlanStaleError } from './repair/decide.js'
export type { ItemOutcome } from './repair/item-outcome.js'
export { makePlan as plan, type Plan, PlanInvalidError, parsePlan } from './repair/plan.js'
export { type VerifyResult, verify } from './repair/verify.js'
