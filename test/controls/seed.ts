// Seeds of randomised tests: printed with every run, and given back through the environment to see a failure again.

/** A seed, printed under the test's name; `MAKEGOOD_SEED` sets it. */
export function seedFor(test: string): number {
  const given = process.env.MAKEGOOD_SEED
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  process.stdout.write(`${test}: seed ${seed} (MAKEGOOD_SEED)\n`)
  return seed
}
