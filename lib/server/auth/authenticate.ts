/**
 * Tells who a request is from. Each kind of credential has one reader; a credential that none of them knows is refused,
 * never ignored. The local token and those of hooks count from this machine alone.
 */
import { LokiError } from '../../errors.ts';
import { secretTest } from '../../base/digest.ts';
import { isLoopback } from '../listen.ts';
import { local, stranger, visitor, type Principal, type Scope } from '../principal.ts';

/** What a request shows of who it is from. */
export interface Credentials {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** The Cookie header. */
  readonly cookie: string | undefined;
  /** Address of the client. */
  readonly address: string;
  /** It came through a proxy: so it may come from anybody, and is from no caller of this machine. */
  readonly proxied?: boolean;
}

/** Reads one kind of credential; undefined when it is none of its kind, or not known. May throw `auth.required` to say more. */
export type ReadToken = (token: string, address: string) => Promise<Principal | undefined>;

/** How callers are told apart. */
export interface AuthenticationOptions {
  /** Whether everybody must show who they are. */
  readonly required: boolean;
  /** The token of this machine's command line. */
  readonly localToken?: string;
  /** The project that a hook's token was given out for; undefined for any other text. */
  readonly projectOfHook?: (token: string) => string | undefined;
  /** Further kinds of bearer tokens, asked in turn. */
  readonly tokens?: readonly ReadToken[];
  /** The principal of a browser's session; undefined when the cookies name none that lives. */
  readonly session?: (cookie: string) => Promise<Principal | undefined>;
}

/** Says who a request is from. Throws `auth.required` for a token it does not know. */
export type Authenticate = (credentials: Credentials) => Promise<Principal>;

/** A signed token of an identity provider may be long; ours are short. */
const longestToken = 16 * 1024;

export function createAuthenticate(options: AuthenticationOptions): Authenticate {
  const { required, tokens = [], session, localToken, projectOfHook } = options;
  const onThisMachine: ThisMachine = { isLocal: localToken === undefined ? () => false : secretTest(localToken), projectOfHook };
  return async ({ authorization, cookie, address, proxied = false }) => {
    if (authorization === undefined) {
      const signedOn = cookie === undefined ? undefined : await session?.(cookie);
      return signedOn ?? (required ? stranger : visitor);
    }
    const token = authorization.length > longestToken ? undefined : /^Bearer +([A-Za-z0-9_.~+/=-]+)$/i.exec(authorization)?.[1];
    if (token === undefined) throw refused('the Authorization header is not "Bearer" and one token');
    const here = isLoopback(address) && !proxied ? principalHere(token, onThisMachine) : undefined;
    if (here !== undefined) return here;
    for (const read of tokens) {
      const principal = await read(token, address);
      if (principal !== undefined) return principal;
    }
    throw refused('the token is not known here');
  };
}

/** What counts from this machine alone. */
interface ThisMachine {
  readonly isLocal: (token: string) => boolean;
  readonly projectOfHook: AuthenticationOptions['projectOfHook'];
}

function principalHere(token: string, { isLocal, projectOfHook }: ThisMachine): Principal | undefined {
  if (isLocal(token)) return local;
  const hookProject = projectOfHook?.(token);
  return hookProject === undefined ? undefined : { kind: 'hook', actor: `token:hook:${hookProject}`, scopes: new Set<Scope>(['hook']), anonymous: false, tenant: null, hookProject };
}

export function refused(found: string): LokiError {
  return new LokiError('auth.required', { attempted: 'tell who is asking', found });
}
