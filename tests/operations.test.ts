import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { MAINTENANCE_STEPS } from '../src/train/metrics.ts';
import { exportedMetrics, serveRegistry, workerRegistry } from './support/exported-metrics.ts';

const root = resolve(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');

/** `name type label,label` of each row of the tables below the heading, up to the next one. */
function listed(heading: string): string[] {
  const section = page.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*)\|/gm)]
    .map(([, name, type, labels = '']) => `${name} ${type} ${labels.replace(/[`\s]/g, '')}`.trim())
    .sort();
}

function exported(registry: Registry): string[] {
  return exportedMetrics(registry)
    .map(({ name, type, labelNames }) => `${name} ${type} ${labelNames.join(',')}`.trim())
    .sort();
}

const own = (metrics: string[]) => metrics.filter((metric) => metric.startsWith('nextbest_'));

describe('docs/operations.md', () => {
  const serve = serveRegistry();
  const worker = workerRegistry();

  test('lists the metrics of the service, with type and labels', () => {
    expect(listed('The service')).toEqual(own(exported(serve)));
  });

  test('lists the metrics of the worker, with type and labels', () => {
    expect(listed('The worker')).toEqual(own(exported(worker)));
  });

  test('lists what both have of Node itself', () => {
    const ofNode = listed("Both: Node's own figures");
    for (const registry of [serve, worker]) {
      const nodes = exported(registry).filter((metric) => !metric.startsWith('nextbest_'));
      // Other systems than Linux tell a little less.
      if (process.platform === 'linux') expect(nodes).toEqual(ofNode);
      else expect(ofNode).toEqual(expect.arrayContaining(nodes));
    }
  });

  test.each(MAINTENANCE_STEPS)('tells of rounds whose step %s fails, and what to do then', (step) => {
    expect(page.split('\n').find((line) => line.includes('maintenance_failures_total'))).toContain(
      `\`${step}\``,
    );
    const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
    const section = runbook.split(/^### /m).find((part) => part.startsWith('NextbestMaintenanceFailing\n'));
    expect(section).toContain(`\`${step}\``);
  });

  test('names every log event that there is, and no other', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const logged = files
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [...readFileSync(join(root, 'src', file), 'utf8').matchAll(/\bevent: '([^']+)'/g)])
      .map((match) => match[1] ?? '');
    logged.push(...MAINTENANCE_STEPS.map((step) => `${step}.failed`));
    const logs = page.slice(page.indexOf('\n## Logs\n'));
    const named = [...logs.matchAll(/^\| ((?:`[\w.-]+`(?:, )?)+) \|/gm)]
      .flatMap((row) => [...(row[1] ?? '').matchAll(/`([\w.-]+)`/g)])
      .map((match) => match[1] ?? '');
    expect([...named].sort()).toEqual([...new Set(logged)].sort());
  });
});
