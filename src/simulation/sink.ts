/** Where a simulation goes: NDJSON files by name. What stands behind them (a disk, a test's memory) is the caller's. */
export const SIMULATED_FILES = ['items', 'offers', 'customers', 'events', 'decisions', 'truth'] as const;
export type SimulatedFile = (typeof SIMULATED_FILES)[number];

export type SimulationSink = {
  /**
   * Takes one or more whole lines, each ended by a line feed. A promise means that the sink is behind: the writer
   * must wait for it before it writes anything more, so that neither side piles up memory.
   */
  write(file: SimulatedFile, lines: string): Promise<void> | undefined;
};
