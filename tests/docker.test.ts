/** What docker/ says of the project is true of it: metrics, labels, alerts and their pages, environment, files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Environment } from '../src/infra/config.ts';
import { exportedMetrics, serveRegistry, workerRegistry } from './support/exported-metrics.ts';

const docker = resolve(import.meta.dirname, '../docker');
const textOf = (path: string) => readFileSync(join(docker, path), 'utf8');

type Rule = { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } };
const rules: Rule[] = parse(textOf('prometheus/alerts.yml')).groups.flatMap(
  ({ rules }: { rules: Rule[] }) => rules,
);

/** Labels by the name of each series that Prometheus has of the processes. `up` is its own. */
const series = new Map<string, readonly string[]>([['up', []]]);
for (const { name, type, labelNames } of [serveRegistry(), workerRegistry()].flatMap(exportedMetrics)) {
  if (type === 'histogram')
    for (const [end, own] of [
      ['_bucket', ['le']],
      ['_sum', []],
      ['_count', []],
    ] as const)
      series.set(name + end, [...labelNames, ...own]);
  else series.set(name, labelNames);
}
/** What prometheus.yml and Prometheus itself add. */
const targetLabels = ['job', 'instance', 'part'];

/** Faults of a query: series that nobody exports, and labels that these do not have. */
function faultsOf(query: string): string[] {
  const withoutText = query.replace(/"[^"]*"/g, '""');
  const named = [...withoutText.matchAll(/\b(?:nextbest|nodejs|process)_\w+|\bup\b/g)].map(([name]) => name);
  const matched = [...withoutText.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
  );
  const grouped = [...withoutText.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, inside = '']) =>
    inside.split(',').map((label) => label.trim()),
  );
  const known = new Set([...targetLabels, ...named.flatMap((name) => series.get(name) ?? [])]);
  return [
    ...(named.length === 0 ? ['asks of nothing'] : []),
    ...named.filter((name) => !series.has(name)).map((name) => `nobody exports ${name}`),
    ...[...matched, ...grouped]
      .filter((label) => !known.has(label))
      .map((label) => `no such label: ${label}`),
  ];
}

test('a wrong name or label in a query is noticed', () => {
  expect(faultsOf('sum by (rout) (rate(nextbest_serve_requests_total{status="500"}[5m]))')).toEqual([
    'nobody exports nextbest_serve_requests_total',
    'no such label: status',
    'no such label: rout',
  ]);
  expect(faultsOf('vector(0)')).toEqual(['asks of nothing']);
});

describe('alerts', () => {
  test.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s asks for what is exported',
    (_name, rule) => {
      expect(faultsOf(rule.expr)).toEqual([]);
      expect(['critical', 'warning']).toContain(rule.labels.severity);
    },
  );

  test('each has its section in the runbook, which has no other', () => {
    const runbook = readFileSync(join(docker, '../docs/runbook.md'), 'utf8');
    const sections = [...runbook.matchAll(/^### (Nextbest\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(rules.map(({ alert }) => alert));
  });

  test('each has a case in which it fires', () => {
    const cases: { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[] = parse(
      textOf('prometheus/alerts.test.yml'),
    ).tests;
    const fired = cases
      .flatMap(({ alert_rule_test = [] }) => alert_rule_test)
      .filter(({ exp_alerts }) => exp_alerts.length > 0)
      .map(({ alertname }) => alertname);
    expect([...new Set(fired)].sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });
});

describe('the dashboard', () => {
  type Panel = { title: string; type: string; targets?: { expr: string; legendFormat: string }[] };
  const { panels }: { panels: Panel[] } = JSON.parse(textOf('grafana/dashboards/nextbest.json'));
  const asking = panels.filter(({ type }) => type !== 'row');

  test.each(asking.map((panel) => [panel.title, panel] as const))(
    '%s asks for what is exported',
    (_title, panel) => {
      expect(panel.targets?.length).toBeGreaterThan(0);
      for (const { expr } of panel.targets ?? []) expect(faultsOf(expr)).toEqual([]);
    },
  );

  test('shows every metric of our own that is exported', () => {
    const asked = asking.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
    const unseen = [...series.keys()]
      .filter((name) => name.startsWith('nextbest_'))
      .map((name) => name.replace(/_(bucket|sum|count)$/, ''))
      .filter((name) => !asked.includes(name));
    expect([...new Set(unseen)].sort()).toEqual(knownToTextAlone);
  });

  /** Asked for when there is a question, not watched: docs/operations.md lists them. */
  const knownToTextAlone = [
    'nextbest_serve_arranged_items_total',
    'nextbest_serve_catalogue_items',
    'nextbest_serve_dropped_connections_total',
    'nextbest_serve_experiment_answers_total',
    'nextbest_serve_insights_duration_seconds',
    'nextbest_serve_model_load_failures_total',
    'nextbest_serve_model_swaps_total',
    'nextbest_serve_pages_total',
    'nextbest_serve_recommended_items_total',
    'nextbest_serve_refused_callers_total',
    'nextbest_serve_standing_decisions_total',
    'nextbest_serve_unreadable_records_total',
    'nextbest_worker_churn_drift_checked_timestamp_seconds',
    'nextbest_worker_damaged_parts',
    'nextbest_worker_decisions_over_nothing_minor',
    'nextbest_worker_event_to_record_seconds',
    'nextbest_worker_jobs_stalled_total',
    'nextbest_worker_scored_customers',
    'nextbest_worker_webhook_attempt_duration_seconds',
    'nextbest_worker_webhook_latency_seconds',
    'nextbest_worker_webhooks_dead_total',
  ];
});

describe('compose.yaml', () => {
  type Service = {
    image: string;
    command?: string[];
    environment?: Record<string, string>;
    volumes?: string[];
    depends_on?: Record<string, unknown> | string[];
  };
  const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(
    textOf('compose.yaml'),
    { merge: true },
  );
  const services = Object.entries(compose.services);

  test('has the parts of a shop, which wait for each other', () => {
    expect(Object.keys(compose.services).sort()).toEqual([
      'grafana',
      'prometheus',
      'redis-cache',
      'redis-queue',
      'serve',
      'worker',
    ]);
    for (const [, { depends_on = [] }] of services)
      for (const name of Array.isArray(depends_on) ? depends_on : Object.keys(depends_on))
        expect(compose.services).toHaveProperty([name]);
  });

  test('gives the service and the worker an environment that they know', () => {
    for (const name of ['serve', 'worker'])
      for (const variable of Object.keys(compose.services[name]?.environment ?? {}))
        expect(Object.keys(Environment.shape)).toContain(variable);
  });

  test('takes settings from a file, all of them known, and the files that they name from a folder', () => {
    const named = [...textOf('nextbest.env').matchAll(/^#?([A-Z_]+)=(.*)$/gm)];
    expect(named.length).toBeGreaterThan(0);
    for (const [, name, value = ''] of named) {
      expect(Object.keys(Environment.shape)).toContain(name);
      if (value.startsWith('/')) expect(value).toMatch(/^\/etc\/nextbest\//);
    }
    for (const name of ['serve', 'worker']) {
      expect(compose.services[name]).toHaveProperty('env_file', 'nextbest.env');
      expect(compose.services[name]?.volumes).toContain('./config:/etc/nextbest:ro');
    }
  });

  test('lets neither Redis evict what is in it', () => {
    for (const name of ['redis-queue', 'redis-cache'])
      expect(compose.services[name]?.command?.join(' ')).toMatch(
        /^redis-server --appendonly yes .*--maxmemory-policy noeviction$/,
      );
  });

  test('mounts folders that exist and volumes that it names', () => {
    for (const [, { volumes = [] }] of services)
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(join(docker, source)), source).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
  });

  test('has Prometheus ask services of it, at the ports that they listen on', () => {
    const defaults = Environment.parse({});
    const { scrape_configs: asked, rule_files: files } = parse(textOf('prometheus/prometheus.yml'));
    expect(
      asked.map(
        ({ dns_sd_configs: [{ names, port }] }: { dns_sd_configs: [{ names: string[]; port: number }] }) => [
          names,
          port,
        ],
      ),
    ).toEqual([
      // Without a key: on the port that is not published.
      [['serve'], Number(compose.services.serve?.environment?.METRICS_PORT)],
      [['worker'], defaults.WORKER_METRICS_PORT],
    ]);
    for (const file of files) expect(readdirSync(join(docker, 'prometheus'))).toContain(file);
  });
});
