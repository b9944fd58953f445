import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../src/cli/commands.ts';
import { Environment } from '../src/infra/config.ts';
import { ROUTES } from '../src/serve/routes.ts';
import { runCurl, shellCommands } from './support/curl.ts';
import { sandbox } from './support/nextbest.ts';

const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8');
const curls = shellCommands(readme).filter((command) => command.startsWith('curl '));

describe('the examples of the README', () => {
  let url: string;
  /** Answers of earlier examples, for those that go on from them. */
  const seen = new Map<string, string>();

  beforeAll(async () => {
    const shop = await sandbox();
    const simulated = await shop.run(['simulate', '--customers', '600', '--items', '120', '--days', '300']);
    expect(simulated, simulated.stderr).toMatchObject({ exitCode: 0 });
    const files = ['items', 'offers', 'customers', 'events'].map((name) =>
      join(shop.dataDir, 'simulated', `${name}.ndjson`),
    );
    const imported = await shop.run(['import', '--preset', 'nextbest', ...files]);
    expect(imported, imported.stderr).toMatchObject({ exitCode: 0 });
    const trained = await shop.run(['train']);
    expect(trained, trained.stderr).toMatchObject({ exitCode: 0 });
    const started = shop.start(['start']);
    url = String((await started.line('url')).url);
  }, 180_000);

  test.each(curls)('%s', async (command) => {
    const filled = command.replace(/DECISION_ID|VERSION/g, (name) => seen.get(name) ?? `no ${name} seen yet`);
    const response = await runCurl(filled, 'localhost:3000', url);
    const text = await response.text();
    expect(response.status, text).toBeLessThan(300);
    const decisionId = /"decisionId":"([^"]+)"/.exec(text)?.[1];
    if (decisionId !== undefined) seen.set('DECISION_ID', decisionId);
    const version = /"version":"(\d{8}T\d{6}Z-[0-9a-f]{8})"/.exec(text)?.[1];
    if (filled.endsWith('/models') && version !== undefined) seen.set('VERSION', version);
  });
});

test('the README shows every call that the service has', () => {
  const shown = curls.map((command) => /localhost:3000(\/[^'?\s]*)/.exec(command)?.[1] ?? '');
  const unseen = ROUTES.map((route) => route.path).filter((path) => {
    const pattern = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);
    return !shown.some((address) => pattern.test(address));
  });
  // Told in words or at /docs: bulk forms, and what needs an id that only an earlier answer gives.
  const elsewhere = [
    '/items',
    '/openapi.json',
    '/models/{name}',
    '/models/{name}/rollback',
    '/jobs/{jobId}',
    '/decisions/{decisionId}/outcomes',
  ];
  expect(unseen.filter((path) => !elsewhere.includes(path))).toEqual([]);
});

test('the README names every command', () => {
  expect(Object.keys(COMMANDS).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});

test('the table of settings is what the schema says', () => {
  const rows = Object.entries(Environment.shape).map(([name, schema]) => {
    const parsed = schema.safeParse(undefined);
    const byDefault = parsed.success && parsed.data !== undefined ? `\`${parsed.data}\`` : '';
    return `| \`${name}\` | ${byDefault} | ${schema.description ?? ''} |`;
  });
  expect(readme).toContain(['|---|---|---|', ...rows, ''].join('\n'));
});
