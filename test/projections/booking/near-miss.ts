// Near misses: a scene changed in one field, one event or one circumstance.
import type { JsonObject, JsonValue } from '../../../src/engine/json.js'
import type { Scene, Told } from './history.js'

export type Change = (scene: Scene) => Scene

/** The first event of a type is gone. */
export function without(type: string): Change {
  return (scene) => ({ ...scene, told: scene.told.toSpliced(indexOf(scene, type), 1) })
}

/** The first event of a type has another value in one field. */
export function changed(type: string, field: string, value: JsonValue): Change {
  return (scene) => {
    const index = indexOf(scene, type)
    const { data, ...told } = scene.told[index] as Told
    return { ...scene, told: scene.told.with(index, { ...told, data: { ...data, [field]: value } as JsonObject }) }
  }
}

/** The first event of a type is another one. */
export function replaced(type: string, told: Told): Change {
  return (scene) => ({ ...scene, told: scene.told.with(indexOf(scene, type), told) })
}

/** One more event, behind the others. */
export function plus(told: Told): Change {
  return (scene) => ({ ...scene, told: [...scene.told, told] })
}

/** One more event, before the others. */
export function preceded(told: Told): Change {
  return (scene) => ({ ...scene, told: [told, ...scene.told] })
}

/** Judged at another minute. */
export function at(now: number): Change {
  return (scene) => ({ ...scene, now })
}

/** Other answers from outside. */
export function answered(lookups: Readonly<Record<string, JsonValue>>): Change {
  return (scene) => ({ ...scene, lookups })
}

function indexOf({ told }: Scene, type: string): number {
  const index = told.findIndex((event) => event.type === type)
  if (index < 0) throw new Error(`the scene has no ${type}`)
  return index
}
