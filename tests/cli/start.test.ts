import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { sandbox } from '../support/nextbest.ts';

const shop = await sandbox();

const answers = (url: unknown) =>
  fetch(`${url}/livez`).then(
    (response) => response.ok,
    () => false,
  );

test('a part that cannot be started ends the whole with its exit code', async () => {
  const occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const address = occupant.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { exitCode, stderr } = await shop.run(['start'], { PORT: String(port) });
  occupant.close();
  expect(exitCode).toBe(2);
  expect(stderr).toContain('PORT');
});

test('the service is replaced by SIGUSR2, and neither it nor the worker outlives a parent that was killed', async () => {
  const parent = shop.start(['start', '--processes', '2'], { LOG_LEVEL: 'info' });
  const { url } = await parent.line('url');
  expect(await answers(url)).toBe(true);
  parent.process.kill('SIGUSR2');
  await eventually(() => expect(parent.stderr().match(/process\.replaced/g)).toHaveLength(2));
  expect(await answers(url)).toBe(true);
  // Both write to the parent's standard error: it is closed when the last of them has ended.
  const allEnded = once(parent.process, 'close');
  parent.process.kill('SIGKILL');
  await allEnded;
  expect(await answers(url)).toBe(false);
});
