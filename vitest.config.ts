import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// The threads and commands that tests start load the product's sources anew: compiled once, they start three times faster.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'compile');

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'simulators/**/*.test.ts', 'tests/**/*.test.ts', 'tools/**/*.test.ts'],
    // A process for each file: tests kill processes, set limits and start workers.
    pool: 'forks',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    allowOnly: false,
  },
});
