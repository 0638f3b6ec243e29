// A lookup in a file of JSON lines: whoever cannot be asked may have written down what they know.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { JsonObject } from '../engine/json.js'
import type { Lookup } from './lookup.js'

/** A file of answers that cannot be used: which, which line, and why. */
export class LookupFileError extends Error {
  override readonly name = 'LookupFileError'
}

/**
 * Answers from a file, one JSON object a line: the line that has all fields of the request with their values; null where none has. The whole
 * file is held in memory. `ask` throws LookupFileError where the file cannot be read, or two lines answer one request.
 */
export function lookupFile(path: string): Lookup {
  let lines: Promise<JsonObject[]> | undefined
  const indexes = new Map<string, Promise<Map<string, JsonObject>>>()
  return {
    ask: async (request) => {
      const fields = Object.keys(request).sort()
      const name = fields.join()
      lines ??= readLines(path)
      const index = indexes.get(name) ?? lines.then((all) => indexOf(all, fields, path))
      indexes.set(name, index)
      return (await index).get(keyOf(request, fields)) ?? null
    },
  }
}

async function readLines(path: string): Promise<JsonObject[]> {
  const found: JsonObject[] = []
  let number = 0
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1
      if (line.trim() !== '') found.push(objectIn(line))
    }
  } catch (cause) {
    throw new LookupFileError(`${path}:${number}: ${(cause as Error).message}`, { cause })
  }
  return found
}

function objectIn(line: string): JsonObject {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('expected a JSON object')
  return value as JsonObject
}

function indexOf(lines: readonly JsonObject[], fields: readonly string[], path: string): Map<string, JsonObject> {
  const index = new Map<string, JsonObject>()
  for (const line of lines) {
    const key = keyOf(line, fields)
    if (index.has(key)) throw new LookupFileError(`${path}: two lines with ${fields.join(', ')} = ${key}`)
    index.set(key, line)
  }
  return index
}

function keyOf(object: JsonObject, fields: readonly string[]): string {
  return JSON.stringify(fields.map((field) => object[field] ?? null))
}
