/** Who may come in. Both lanes ask this before anything of a request is looked at, its body included. */
import type { IncomingMessage } from 'node:http';
import type { Scope } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import { isLoopback } from '../../infra/loopback.ts';
import type { KeyRing } from './key-ring.ts';
import { type RateLimits, type Standing, windowSeconds } from './rate-limits.ts';

/** What a route asks of its caller: a key with this scope, or nothing. */
export type Access = Scope | 'public';

/** Where headers of the answer go: the response, or what will be written to it. */
export type AnswerHeaders = { setHeader: (name: string, value: string) => unknown };

/** Throws AppError where the caller may not; otherwise tells the id of the key that was shown, if one was asked for. */
export type Admit = (access: Access, req: IncomingMessage, res: AnswerHeaders) => string | undefined;

/** `now` in milliseconds since 1970. */
export function admitByKey(
  ring: Pick<KeyRing, 'find'>,
  limits: Pick<RateLimits, 'take'>,
  now: () => number,
): Admit {
  return (access, req, res) => {
    if (access === 'public') return undefined;
    const text = presentedKey(req);
    const key = text === undefined ? undefined : ring.find(text, now());
    if (key === undefined) {
      res.setHeader('www-authenticate', `Bearer realm="nextbest", scope="${access}"`);
      throw unauthenticated(text !== undefined);
    }
    if (!key.scopes.has(access)) {
      res.setHeader(
        'www-authenticate',
        `Bearer realm="nextbest", error="insufficient_scope", scope="${access}"`,
      );
      throw new AppError('FORBIDDEN', {
        public:
          `This call needs a key with the scope "${access}"; the key ${key.keyId} has: ` +
          `${[...key.scopes].join(', ')}. \`nextbest keys create --scopes ${access}\` makes one.`,
      });
    }
    const standing = limits.take(key.keyId, access, performance.now());
    if (standing !== undefined) {
      tellStanding(res, access, standing);
      if (!standing.allowed) throw tooMany(key.keyId, access, standing);
    }
    return key.keyId;
  };
}

/**
 * `AUTH=off`: everybody on this machine, but no web page that a browser on this machine shows, and nothing that a proxy on this
 * machine passes on from elsewhere.
 */
export const admitThisMachine: Admit = (access, req) => {
  if (access === 'public') return undefined;
  if (
    isLoopback(hostNameOf(req.headers.host)) &&
    req.headers['sec-fetch-site'] !== 'cross-site' &&
    !forwardedBy.some((name) => name in req.headers)
  )
    return undefined;
  throw new AppError('FORBIDDEN', {
    public:
      'Without keys (AUTH=off) this answers programs on its own machine alone, asked as localhost, no pages of ' +
      'other sites, and nothing that a proxy passes on. Make a key (`nextbest keys create`) and start without AUTH=off.',
  });
};

/** Headers by which a proxy tells that somebody else asks. */
const forwardedBy = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

function unauthenticated(presented: boolean): AppError {
  return new AppError('UNAUTHENTICATED', {
    public: presented
      ? 'This API key is not known here: it may have been revoked, have expired, or be misspelt. ' +
        '`nextbest keys list` tells which there are.'
      : 'Send an API key: `Authorization: Bearer nb_…`, or `x-api-key: nb_…`. `nextbest keys create` makes one.',
  });
}

/** Of draft-ietf-httpapi-ratelimit-headers: what there is, and what is left of it. */
function tellStanding(res: AnswerHeaders, scope: Scope, { limit, remaining, resetMs }: Standing): void {
  res.setHeader('ratelimit-policy', `"${scope}";q=${limit};w=${windowSeconds}`);
  res.setHeader('ratelimit', `"${scope}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`);
}

function tooMany(keyId: string, scope: Scope, { limit, resetMs }: Standing): AppError {
  return new AppError('TOO_MANY_REQUESTS', {
    public:
      `The key ${keyId} may make ${limit} calls with the scope "${scope}" in ${windowSeconds} seconds, and has made them. ` +
      `Send them more evenly, or have RATE_LIMIT_${scope.toUpperCase()} raised.`,
    retryAfterSeconds: Math.max(1, Math.ceil(resetMs / 1000)),
  });
}

/** Without its port. No Host header (HTTP/1.0) comes from no browser. */
function hostNameOf(host: string | undefined): string {
  return host === undefined ? 'localhost' : host.replace(/:\d+$/, '');
}

/** Both headers: `Authorization` first, unless it is of another scheme, such as a gateway's own. */
function presentedKey({ headers }: IncomingMessage): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined && /^bearer /i.test(authorization)) return authorization.slice(7).trim();
  const key = headers['x-api-key'];
  return typeof key === 'string' ? key : undefined;
}
