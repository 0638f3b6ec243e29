// What an authority's answers must look like before anybody believes them: the shapes of repair/authority.ts as schemas.
import { z } from 'zod'
import type { JsonObject } from '../engine/json.js'
import type { AdmitResult, IssueResult, LookUpResult } from '../repair/authority.js'

const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json())
const unknownResult = z.object({ kind: z.literal('unknown'), message: z.string() })

export const lookUpResult: z.ZodType<LookUpResult> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('found'), answer: jsonObject }),
  z.object({ kind: z.literal('none') }),
  unknownResult,
])

export const issueResult: z.ZodType<IssueResult> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done'), answer: jsonObject }),
  z.object({ kind: z.literal('refused'), code: z.string().min(1), message: z.string(), retryable: z.boolean() }),
  unknownResult,
])

export const admitResult: z.ZodType<AdmitResult> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('admitted') }),
  z.object({ kind: z.literal('refused'), message: z.string() }),
  unknownResult,
])
