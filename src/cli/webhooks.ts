/** `nextbest webhooks`: the dead letters, and sending them again; a new secret. */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { type DeadWebhook, openWebhookQueue, type WebhookQueue } from '../infra/webhook-queue.ts';
import { outputOf } from './output.ts';
import { withRedis } from './with-redis.ts';

const newSecretBytes = 32;
const listedAtOnce = 100;

export function webhooksCommand(): Command {
  const webhooks = new Command('webhooks').description(
    'the webhooks that could not be delivered; send them again',
  );
  webhooks
    .command('dead')
    .description('the dead letters, newest first')
    .action((_options, command: Command) =>
      withQueue(async (queue) => {
        const output = outputOf(command);
        const count = await queue.dead.count();
        for (let start = 0; start < count; start += listedAtOnce)
          for (const letter of await queue.dead.list(start, listedAtOnce)) output.result(...describe(letter));
        if (count === 0) output.say('There are no dead letters.');
      }),
    );
  webhooks
    .command('replay')
    .description('send dead letters again, with all their attempts; a worker does the sending')
    .option('--id <id...>', 'these, as `nextbest webhooks dead` lists them')
    .option('--all', 'all that there are')
    .action(async ({ id: ids, all }: { id?: string[]; all?: true }, command: Command) => {
      if ((ids === undefined) === (all === undefined))
        throw new UsageError('Say what to send again: --id ID, or --all.');
      await withQueue(async (queue) => {
        const done = ids === undefined ? undefined : await queue.dead.replay(ids);
        const replayed = done?.length ?? (await queue.dead.replayAll());
        const unknown = (ids ?? []).filter((id) => !done?.includes(id));
        outputOf(command).result({ replayed }, `${replayed} are on their way again.`);
        if (unknown.length > 0)
          throw new UsageError(
            `There is no dead letter ${unknown.join(', ')}: \`nextbest webhooks dead\` lists those that there are.`,
          );
      });
    });
  webhooks
    .command('secret')
    .description('a new secret for WEBHOOK_SECRETS')
    .action((_options, command: Command) => {
      const secret = `whsec_${randomBytes(newSecretBytes).toString('base64')}`;
      const { json, result } = outputOf(command);
      // On stdout either way: it is there to be put into a variable.
      if (json) result({ secret }, '');
      else process.stdout.write(`${secret}\n`);
    });
  return webhooks;
}

async function withQueue(use: (queue: WebhookQueue) => Promise<void>): Promise<void> {
  await withRedis(
    'webhooks',
    async ({ redis, keys }) => {
      const queue = openWebhookQueue(redis, keys);
      try {
        await use(queue);
      } finally {
        await queue.close();
      }
    },
    'queues',
  );
}

function describe({ id, notice, attempts, reason, diedAt }: DeadWebhook): [Record<string, unknown>, string] {
  const died = new Date(diedAt).toISOString();
  const about = { type: notice?.type, customerId: notice?.data.customerId, timestamp: notice?.timestamp };
  return [
    { id, ...about, attempts, reason, diedAt: died },
    `${id}  ${about.type ?? 'of another version'}  ${died}  after ${attempts} attempts: ${reason}`,
  ];
}
