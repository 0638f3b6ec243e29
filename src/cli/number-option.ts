// Whole numbers as options.
import { UsageError } from './exit-codes.js'

/** A parser for an option that takes a whole number from `min` on. Throws UsageError naming the option. */
export function numberOption(option: string, min = 0): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value
    throw new UsageError(`${option} ${text}: expected a whole number from ${min} on`)
  }
}
