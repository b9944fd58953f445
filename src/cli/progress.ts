/** Progress on stderr: a bar at a terminal, a line at each tenth elsewhere. */
import { SingleBar } from 'cli-progress';
import type { JobProgress } from '../domain/job.ts';

export type ProgressDisplay = { report: (progress: JobProgress) => void; stop: () => void };

export function showProgress(title: string): ProgressDisplay {
  return process.stderr.isTTY ? barDisplay(title) : lineDisplay(title);
}

function barDisplay(title: string): ProgressDisplay {
  const bar = new SingleBar({
    format: `${title.padEnd(20)} {bar} {percentage}% {duration_formatted} {stage}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    stream: process.stderr,
  });
  bar.start(1000, 0, { stage: '' });
  return {
    report: ({ share, stage }) => bar.update(Math.round(share * 1000), { stage }),
    stop: () => bar.stop(),
  };
}

function lineDisplay(title: string): ProgressDisplay {
  let shown = -1;
  return {
    report: ({ share, stage }) => {
      const tenth = Math.floor(share * 10);
      if (tenth > shown) process.stderr.write(`${title} ${tenth * 10}% ${stage}\n`);
      shown = Math.max(shown, tenth);
    },
    stop: () => {},
  };
}
