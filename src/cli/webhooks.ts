/** `nextbest webhooks`: the dead letters, and sending them again; a new secret. */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { type DeadWebhook, openWebhookQueue, type WebhookQueue } from '../infra/webhook-queue.ts';
import { outputOf } from './output.ts';
import { withRedis } from './with-redis.ts';

const newSecretBytes = 32;

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
        let dead = 0;
        for await (const letter of queue.dead()) {
          output.result(...describe(letter));
          dead++;
        }
        if (dead === 0) output.say('There are no dead letters.');
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
        const unknown: string[] = [];
        let replayed = 0;
        if (ids === undefined) replayed = await queue.replayAll();
        for (const id of new Set(ids)) {
          if (await queue.replay(id)) replayed++;
          else unknown.push(id);
        }
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
