/**
 * Who asks, and what they may ask for. Trusts only what it can check: a bearer token, a browser's session; refuses a token
 * that does not check even where none is needed, so that a caller never acts as somebody else than it thinks. Scopes are
 * those of contract section 6: `control` includes `write` includes `read`; `approve` is in no other. `hook` and `run` are what
 * an agent's hooks and a run's own process hold: each lets its bearer do one thing, includes nothing and is included in nothing.
 */

export type Scope = 'read' | 'write' | 'control' | 'audit' | 'admin' | 'approve' | 'hook' | 'run';

export type Role = 'admin' | 'operator' | 'viewer' | 'auditor';

/** Scopes of each role. `approve` is in none: it is granted by name. */
export const roleScopes: Readonly<Record<Role, readonly Scope[]>> = {
  admin: ['admin'],
  operator: ['control'],
  viewer: ['read'],
  auditor: ['read', 'audit'],
};

/** Scopes that a key can be given. */
export const grantableScopes = ['read', 'write', 'control', 'audit', 'admin', 'approve'] as const;

export type PrincipalKind = 'anonymous' | 'local' | 'key' | 'session' | 'token' | 'hook' | 'run';

export interface Principal {
  readonly kind: PrincipalKind;
  /** As audit entries name it. */
  readonly actor: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly anonymous: boolean;
  /** Whose objects it may see: one tenant's; null is the installation's administrators, who see everything. */
  readonly tenant: string | null;
  /** The person who decides when this principal does: `user:alice`. */
  readonly owner?: string;
  readonly role?: Role;
  /** When that person signed on, in milliseconds since the epoch. */
  readonly authTime?: number;
  /** The key that was shown. */
  readonly keyId?: string;
  /** The project that an agent's hooks ask for. */
  readonly hookProject?: string;
  /** The run whose process asks. */
  readonly run?: string;
}

const included: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read'],
  write: ['write', 'read'],
  control: ['control', 'write', 'read'],
  audit: ['audit'],
  admin: ['admin', 'control', 'write', 'read', 'audit'],
  approve: ['approve'],
  hook: ['hook'],
  run: ['run'],
};

/** Whether the principal has the scope, itself or through one that includes it. */
export function holds(principal: Pick<Principal, 'scopes'>, scope: Scope): boolean {
  for (const own of principal.scopes) if (included[own].includes(scope)) return true;
  return false;
}

/** Nobody in particular, allowed nothing. */
export const stranger: Principal = { kind: 'anonymous', actor: 'user:anonymous', scopes: new Set(), anonymous: true, tenant: null };

/** Nobody in particular, on a control plane without authentication: may look, at the log of record too. */
export const visitor: Principal = { kind: 'anonymous', actor: 'user:anonymous', scopes: new Set<Scope>(['read', 'audit']), anonymous: true, tenant: null };

/** The command line on this machine. Never `approve` (contract section 3), never `admin`. */
export const local: Principal = { kind: 'local', actor: 'token:local', scopes: new Set<Scope>(['control', 'audit']), anonymous: false, tenant: null };
