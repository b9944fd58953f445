import { defineConfig } from 'vitest/config';

const reportFile = process.env.TEST_REPORT;

const all = {
  /** As the entries of processes do, so that a fault reads the same whichever file comes first. */
  setupFiles: ['src/domain/fault-sentences.ts'],
  /** Far beyond what anything takes, on a machine that has much else to do: they end what hangs, and judge no speed. */
  testTimeout: 240_000,
  hookTimeout: 240_000,
  expect: { poll: { timeout: 60_000 } },
  /**
   * Files leave nothing behind in their process: they share three, each of which imports a module once. In a process a file,
   * much of what they take is imports.
   */
  isolate: false,
};

/** Rooms whose tests start no processes, or few. */
const quick = [
  'algorithms',
  'decide',
  'domain',
  'evaluation',
  'features',
  'history',
  'infra',
  'insights',
  'offers',
  'scoring',
  'serve',
  'simulation',
  'webhooks',
].map((room) => `tests/${room}/**/*.test.ts`);

export default defineConfig({
  test: {
    // Once for all projects.
    globalSetup: ['tests/support/global-setup.ts'],
    // One more than the two cores that this suite is sized for: tests that start processes, kill them and wait for another
    // to take over leave a core idle.
    maxWorkers: 3,
    reporters: reportFile ? ['default', ['json', { outputFile: reportFile }]] : ['default'],
    projects: [
      // By name, so the longest first: they start processes. No worker is left alone with one at the end.
      { test: { ...all, name: 'long', include: ['tests/**/*.test.ts'], exclude: quick } },
      { test: { ...all, name: 'quick', include: quick } },
    ],
  },
});
