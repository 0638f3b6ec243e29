// The test command: types, lint and format, build, all tests; each step must pass. Its last line is the truth about the tests: `N passed, N failed,
// N skipped`.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const report = `${root}/.test-report.json`

const STEPS = [
  ['build', 'scripts/build.mjs'],
  ['types', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit'],
  ['lint and format', 'node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.'],
  [
    'tests',
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ],
]

rmSync(report, { force: true })
let failedStep
for (const [name, ...args] of STEPS) {
  process.stdout.write(`== ${name}\n`)
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    failedStep = name
    break
  }
}

const { passed, failed, skipped } = readCounts()
if (failedStep) process.stdout.write(`FAILED: ${failedStep}\n`)
// A step that failed without a failing test (types, lint, a suite that would not load) counts as one failure: nothing passes silently.
const failures = failedStep && failed === 0 ? 1 : failed
process.stdout.write(`${passed} passed, ${failures} failed, ${skipped} skipped\n`)
process.exitCode = failures > 0 || passed === 0 ? 1 : 0

function readCounts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'))
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests }
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}
