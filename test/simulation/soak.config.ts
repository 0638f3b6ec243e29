// For the long runs, which are not among the tests.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/simulation/soak.ts'], testTimeout: 0, disableConsoleIntercept: true },
})
