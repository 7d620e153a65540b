/**
 * Who asks, and what they may ask for. Trusts only a bearer token that it can check; refuses a token that does not check
 * even where none is needed, so that a caller never acts as somebody else than it thinks. Scopes are those of contract
 * section 6: `control` includes `write` includes `read`; `approve` is in no other. `hook` is what an agent's hooks over HTTP
 * hold: it lets them ask, includes nothing and is included in nothing.
 */
import { LokiError } from '../errors.ts';
import { secretsEqual } from '../base/digest.ts';
import { isLoopback } from './listen.ts';

export type Scope = 'read' | 'write' | 'control' | 'audit' | 'admin' | 'approve' | 'hook';

export interface Principal {
  /** As audit entries name it. */
  readonly actor: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly anonymous: boolean;
  /** The project that an agent's hooks ask for. */
  readonly hookProject?: string;
}

const included: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read'],
  write: ['write', 'read'],
  control: ['control', 'write', 'read'],
  audit: ['audit'],
  admin: ['admin', 'control', 'write', 'read', 'audit'],
  approve: ['approve'],
  hook: ['hook'],
};

/** Whether the principal has the scope, itself or through one that includes it. */
export function holds(principal: Principal, scope: Scope): boolean {
  for (const own of principal.scopes) if (included[own].includes(scope)) return true;
  return false;
}

/** Nobody in particular, allowed nothing. */
export const stranger: Principal = { actor: 'user:anonymous', scopes: new Set(), anonymous: true };

/** Nobody in particular, on a control plane without authentication: may look, at the log of record too. */
const visitor: Principal = { actor: 'user:anonymous', scopes: new Set<Scope>(['read', 'audit']), anonymous: true };

/** The command line on this machine. Never `approve` (contract section 3), never `admin`. */
const local: Principal = { actor: 'token:local', scopes: new Set<Scope>(['control', 'audit']), anonymous: false };

/** How callers are told apart. */
export interface AuthenticationOptions {
  /** Whether everybody must show who they are. */
  readonly required: boolean;
  /** The token of this machine's command line; counts only from a loopback address. */
  readonly localToken?: string;
  /** The project that a hook's token was given out for; undefined for any other text. Counts only from a loopback address. */
  readonly projectOfHook?: (token: string) => string | undefined;
}

/** Says who a request is from. Throws `auth.required` for a token it does not know. */
export type Authenticate = (authorization: string | undefined, address: string) => Promise<Principal>;

const longestToken = 256;

export function createAuthenticate({ required, localToken, projectOfHook }: AuthenticationOptions): Authenticate {
  return async (authorization, address) => {
    if (authorization === undefined) return required ? stranger : visitor;
    const token = /^Bearer +([A-Za-z0-9_.~+/=-]+)$/i.exec(authorization.slice(0, longestToken))?.[1];
    if (token === undefined) throw refused('the Authorization header is not "Bearer" and one token');
    if (localToken !== undefined && isLoopback(address) && secretsEqual(token, localToken)) return local;
    const hookProject = isLoopback(address) ? projectOfHook?.(token) : undefined;
    if (hookProject !== undefined) return { actor: `token:hook:${hookProject}`, scopes: new Set<Scope>(['hook']), anonymous: false, hookProject };
    throw refused('the token is not known here');
  };
}

function refused(found: string): LokiError {
  return new LokiError('auth.required', { attempted: 'tell who is asking', found });
}
