/** Every command, in the order of the help text. Each is loaded when it is asked for: `models list` needs no TensorFlow.js. */
import type { Command } from 'commander';

export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.ts')).demoCommand(),
  import: async () => (await import('./import.ts')).importCommand(),
  simulate: async () => (await import('./simulate.ts')).simulateCommand(),
  offers: async () => (await import('./offers.ts')).offersCommand(),
  train: async () => (await import('./train.ts')).trainCommand(),
  customers: async () => (await import('./customers.ts')).customersCommand(),
  keys: async () => (await import('./keys.ts')).keysCommand(),
  models: async () => (await import('./models.ts')).modelsCommand(),
  webhooks: async () => (await import('./webhooks.ts')).webhooksCommand(),
  experiments: async () => (await import('./experiments.ts')).experimentsCommand(),
  insights: async () => (await import('./insights.ts')).insightsCommand(),
  start: async () => (await import('./start.ts')).startCommand(),
  serve: async () => (await import('./serve.ts')).serveCommand(),
  worker: async () => (await import('./worker.ts')).workerCommand(),
  evaluate: async () => (await import('./evaluate.ts')).evaluateCommand(),
  tune: async () => (await import('./tune.ts')).tuneCommand(),
  bench: async () => (await import('./bench.ts')).benchCommand(),
};
