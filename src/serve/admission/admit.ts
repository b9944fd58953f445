/** Who may come in. Both lanes ask this before anything of a request is looked at, its body included. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Scope } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { KeyRing } from './key-ring.ts';

/** What a route asks of its caller: a key with this scope, or nothing. */
export type Access = Scope | 'public';

/** Throws AppError where the caller may not; otherwise tells the id of the key that was shown, if one was asked for. */
export type Admit = (access: Access, req: IncomingMessage, res: ServerResponse) => string | undefined;

export function admitByKey(ring: Pick<KeyRing, 'find'>, now: () => number): Admit {
  return (access, req, res) => {
    if (access === 'public') return undefined;
    const text = presentedKey(req);
    const key = text === undefined ? undefined : ring.find(text, now());
    if (key === undefined) {
      res.setHeader('www-authenticate', `Bearer realm="nextbest", scope="${access}"`);
      throw new AppError('UNAUTHENTICATED', {
        public:
          text === undefined
            ? 'Send an API key: `Authorization: Bearer nb_…`, or `x-api-key: nb_…`. `nextbest keys create` makes one.'
            : 'This API key is not known here: it may have been revoked, have expired, or be misspelt. ' +
              '`nextbest keys list` tells which there are.',
      });
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
    return key.keyId;
  };
}

/** `AUTH=off`: everybody on this machine, but no web page that a browser on this machine shows. */
export const admitThisMachine: Admit = (access, req) => {
  if (access === 'public') return undefined;
  if (isLoopback(hostNameOf(req.headers.host)) && req.headers['sec-fetch-site'] !== 'cross-site')
    return undefined;
  throw new AppError('FORBIDDEN', {
    public:
      'Without keys (AUTH=off) this answers programs on its own machine alone, asked as localhost, and no pages of ' +
      'other sites. Make a key (`nextbest keys create`) and start without AUTH=off.',
  });
};

/** Addresses and names by which a machine knows itself. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
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
