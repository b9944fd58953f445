/** `nextbest keys`: who may call the service. */
import { Command, Option } from 'commander';
import { ApiKey, SCOPES, Scope } from '../domain/api-key.ts';
import { UsageError } from '../domain/errors.ts';
import { dayMs, hourMs } from '../domain/time.ts';
import { createApiKey, type HeldKey, readApiKeys, revokeApiKey, rotateApiKey } from '../infra/api-keys.ts';
import { readConfig } from '../infra/config.ts';
import { outputOf } from './output.ts';

const takenWithin = 'Services that run know it within two seconds.';

export function keysCommand(): Command {
  const keys = new Command('keys').description('API keys: make, list, revoke and replace them');
  keys
    .command('create')
    .description('a new key, which is shown this once')
    .requiredOption('--name <name>', 'which program it is for')
    .requiredOption('--scopes <scope,…>', `what it is good for: ${SCOPES.join(', ')}, or all`, scopes)
    .option('--expires <time>', 'ends by itself, after such as 90d or 12h', duration)
    .action(async (flags: { name: string; scopes: Scope[]; expires?: number }, command: Command) => {
      const name = ApiKey.shape.name.safeParse(flags.name);
      if (!name.success) throw new UsageError(`--name ${name.error.issues[0]?.message}.`);
      const now = Date.now();
      const expiresAt = flags.expires === undefined ? null : now + flags.expires;
      const { key, text } = await createApiKey(
        dataDir(),
        { name: name.data, scopes: flags.scopes, expiresAt },
        now,
      );
      show(command, key, text, `The key "${key.name}" is good for ${key.scopes.join(', ')}.`);
    });
  keys
    .command('list')
    .description('every key that was made, with what it is good for')
    .action(async (_flags, command: Command) => {
      const output = outputOf(command);
      const now = Date.now();
      const unreadable: string[] = [];
      const held = await readApiKeys(dataDir(), (file) => unreadable.push(file));
      for (const key of held) output.result(...describe(key, now));
      if (held.length === 0)
        output.say('There is no key. `nextbest keys create --name NAME --scopes read,events` makes one.');
      for (const file of unreadable) output.say(`${file} is no API key, and is left out.`);
    });
  keys
    .command('revoke')
    .description('end a key for good')
    .argument('<id>', 'the twelve characters after nb_')
    .action(async (id: string, _flags, command: Command) => {
      const { keyId, name } = await revokeApiKey(dataDir(), idOf(id), Date.now());
      outputOf(command).result({ keyId, revoked: true }, `The key "${name}" is revoked. ${takenWithin}`);
    });
  keys
    .command('rotate')
    .description('a new key in the place of one, which stays good for a while')
    .argument('<id>', 'the twelve characters after nb_')
    .addOption(
      new Option('--overlap <time>', 'how long the old one stays good, such as 7d, 12h or 0h')
        .argParser(duration)
        .default(7 * dayMs, '7d'),
    )
    .action(async (id: string, { overlap }: { overlap: number }, command: Command) => {
      const { key, text, replacedEndsAt } = await rotateApiKey(dataDir(), idOf(id), overlap, Date.now());
      const until = new Date(replacedEndsAt).toISOString();
      show(command, key, text, `The old key "${key.name}" is good until ${until}.`, {
        replaced: idOf(id),
        replacedUntil: until,
      });
    });
  return keys;
}

/** The key alone on stdout: it is there to be put into a variable. */
function show(
  command: Command,
  { keyId, name, scopes, expiresAt }: ApiKey,
  text: string,
  remark: string,
  more: Record<string, string> = {},
): void {
  const { json, say, result } = outputOf(command);
  result({ key: text, keyId, name, scopes, expiresAt, ...more }, text);
  if (json) return;
  say(`${remark} Keep the key where secrets are kept: it cannot be shown again. ${takenWithin}`);
}

function describe({ keyId, name, scopes, createdAt, revoked, endsAt }: HeldKey, now: number) {
  const state = revoked ? 'revoked' : endsAt <= now ? 'expired' : 'active';
  const end = endsAt === Infinity ? null : new Date(endsAt).toISOString();
  const object = { keyId, name, scopes, state, createdAt, endsAt: end };
  const ends = state === 'active' && end !== null ? `, until ${end}` : '';
  return [object, `${keyId}  ${state.padEnd(7)}  ${name}: ${scopes.join(', ')}${ends}`] as const;
}

const dataDir = () => readConfig(process.env).dataDir;

/** Who pastes the key itself means its id; the key is not to be repeated in an error. */
function idOf(text: string): string {
  const id = /^(?:nb_)?([0-9a-f]{12})(?:_.*)?$/.exec(text)?.[1];
  if (id === undefined)
    throw new UsageError('The id of a key is the twelve characters after nb_: `nextbest keys list`.');
  return id;
}

function scopes(text: string): Scope[] {
  if (text === 'all') return [...SCOPES];
  const asked = text.split(',').map((word) => word.trim());
  const unknown = asked.filter((word) => !Scope.safeParse(word).success);
  if (unknown.length > 0)
    throw new UsageError(
      `--scopes: there is no "${unknown.join('", "')}"; there are: ${SCOPES.join(', ')}, or all.`,
    );
  return SCOPES.filter((scope) => asked.includes(scope));
}

const units = { m: 60_000, h: hourMs, d: dayMs };
const longestDays = 3650;

/** `90d`, `12h` or `30m`, in milliseconds. */
function duration(text: string): number {
  const [, count = '', unit = 'd'] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ms = Number(count) * units[unit as keyof typeof units];
  if (count === '' || ms > longestDays * dayMs)
    throw new UsageError(`"${text}" is no time such as 90d, 12h or 30m (at most ${longestDays}d).`);
  return ms;
}
