/**
 * Whom the control plane believes about who somebody is: the identity provider of its people (`enterprise.auth.oidc`), and
 * those of machines (`enterprise.auth.machines`). A project may set nothing here.
 */
import { isId } from '../../base/ids.ts';
import type { JwsAlgorithm } from '../../base/jws.ts';
import { jwsAlgorithms } from '../../base/jws.ts';
import type { Secret } from '../../base/secret.ts';
import { inside, isQuoted, listOf, mapOf, oneOf, path, record, scalar, secretText, text, url } from '../kinds.ts';
import type { Kind, Section } from '../setting.ts';

const never = 'never' as const;
const unset = 'unset';

/** Single sign-on. Off until there is an issuer. */
export interface OidcConfig {
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: Secret | undefined;
  readonly redirectUri: string | undefined;
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
  readonly roleClaim: string;
  /** Value of the role claim -> what it grants, the first that somebody has. A person whose values are not in it has no access. */
  readonly roleMap: ReadonlyMap<string, RoleGrant>;
  /** Name here -> subject at the provider. */
  readonly users: ReadonlyMap<string, string>;
  /** Undefined: those that the provider names. */
  readonly algorithms: readonly JwsAlgorithm[] | undefined;
  readonly ca: string | undefined;
}

/** Roles of contract section 6. */
export type Role = 'admin' | 'operator' | 'viewer' | 'auditor';

/** A role for a tenant, or for the installation (null), with or without the right to decide approvals. */
export interface RoleGrant {
  readonly role: Role;
  readonly approve: boolean;
  readonly tenant: string | null;
}

const roleWords = 'admin, operator, viewer or auditor';

const roleGrant: Kind<RoleGrant> = scalar(`${roleWords}, with +approve and @TENANT where wanted`, (given) => {
  const [, role = '', approve, tenant] = /^(admin|operator|viewer|auditor)(\+approve)?(?:@(tnt_[0-9A-Z]{26}))?$/i.exec(given) ?? [];
  const known = roles.find((one) => one === role.toLowerCase());
  if (known === undefined || (tenant !== undefined && !isId('tenant', tenant))) return undefined;
  return { role: known, approve: approve !== undefined, tenant: tenant ?? null };
});

const roles: readonly Role[] = ['admin', 'operator', 'viewer', 'auditor'];

function grantWords({ role, approve, tenant }: RoleGrant): string {
  return `${role}${approve ? '+approve' : ''}${tenant === null ? '' : `@${tenant}`}`;
}

/** One row a field of `OidcConfig`. */
export const oidcSection: Section<OidcConfig> = {
  issuer: {
    key: 'enterprise.auth.oidc.issuer', env: [{ name: 'LOKI_OIDC_ISSUER' }], kind: url(), default: undefined, defaultWords: unset, project: never,
    meaning: 'Issuer of the identity provider, exactly as it writes itself; needs `client_id`',
  },
  clientId: {
    key: 'enterprise.auth.oidc.client_id', env: [{ name: 'LOKI_OIDC_CLIENT_ID' }], kind: text(), default: undefined, defaultWords: unset, project: never,
    meaning: 'Our name at the provider',
  },
  clientSecret: {
    key: 'enterprise.auth.oidc.client_secret', env: [{ name: 'LOKI_OIDC_CLIENT_SECRET' }], kind: secretText, default: undefined, defaultWords: unset,
    secret: true, project: never, meaning: 'Our secret at the provider; a public client has none',
  },
  redirectUri: {
    key: 'enterprise.auth.oidc.redirect_uri', env: [{ name: 'LOKI_OIDC_REDIRECT_URI' }], kind: url(), default: undefined,
    defaultWords: '`/auth/callback` of the address called', project: never, meaning: 'Where the provider sends people back to. With https, cookies are for https only',
  },
  audience: {
    key: 'enterprise.auth.oidc.audience', env: [{ name: 'LOKI_OIDC_AUDIENCE' }], kind: text(), default: undefined, defaultWords: '`client_id`', project: never,
    meaning: '`aud` that an access token must carry. Access tokens that do not say what they are (`typ: at+jwt`) are taken only with an audience other than `client_id`',
  },
  scopes: {
    key: 'enterprise.auth.oidc.scopes', env: [{ name: 'LOKI_OIDC_SCOPES' }], kind: listOf(text('a scope without spaces', /^\S+$/), /[\s,]+/),
    default: ['openid', 'profile', 'email'], project: never, meaning: 'Scopes asked for; in the variable with spaces or commas between',
  },
  roleClaim: {
    key: 'enterprise.auth.oidc.role_claim', env: [{ name: 'LOKI_OIDC_ROLE_CLAIM' }], kind: text(), default: 'roles', project: never,
    meaning: 'Claim that holds a person\'s roles or groups; a path such as `realm_access.roles` leads into objects',
  },
  roleMap: {
    key: 'enterprise.auth.oidc.role_map', env: [{ name: 'LOKI_OIDC_ROLE_MAP' }], kind: mapOf(roleGrant),
    default: new Map(), project: never, show: (map) => JSON.stringify(Object.fromEntries([...map].map(([value, grant]) => [value, grantWords(grant)]))),
    meaning: 'Role for each value of that claim, in the variable as `group=role,group=role`; the first that a person has counts. `role@TENANT` is for one tenant, `role+approve` may decide approvals too. No role mapped means no access',
  },
  users: {
    key: 'enterprise.auth.oidc.users', kind: mapOf(text(), text('a name of letters, digits, ".", "_", "@" and "-"', /^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/)), default: new Map(), project: never,
    meaning: 'Name here for a subject (`sub`) of the provider, `alice: SUBJECT`, so that a list of approvers may say `user:alice`. Others are `user:sso:SUBJECT`',
  },
  algorithms: {
    key: 'enterprise.auth.oidc.algorithms', kind: listOf(exactly(jwsAlgorithms)), default: undefined, defaultWords: 'what the provider names, else `RS256`', project: never,
    meaning: 'Algorithms that a token may be signed with',
  },
  ca: {
    key: 'enterprise.auth.oidc.ca', kind: path, default: undefined, defaultWords: 'the usual authorities', project: never,
    meaning: 'File with the certificates that sign those of the identity providers (PEM)',
  },
};

/** A machine, such as a CI job, that shows tokens of a provider of its own. */
export interface TrustedMachine {
  readonly issuer: string;
  readonly audience: string;
  /** Claims and the exact values they must have. */
  readonly claims: ReadonlyMap<string, string>;
  readonly grant: RoleGrant;
}

export interface MachinesConfig {
  readonly trusted: readonly TrustedMachine[];
}

interface WrittenMachine {
  readonly issuer: string;
  readonly audience: string;
  readonly claims: ReadonlyMap<string, string>;
  readonly role: Role;
  readonly tenant?: string;
}

const tenantId: Kind<string> = scalar('the id of a tenant', (given) => (isId('tenant', given) ? given : undefined));
const exact = text('an exact value, without "*"', /^[^*]+$/);
const machineMap: Kind<WrittenMachine> = record<WrittenMachine>(
  { issuer: url(), audience: text(), claims: mapOf(exact, text('the name of a claim', /^[A-Za-z0-9_:/.-]{1,200}$/)), role: oneOf(...roles), tenant: tenantId }, ['issuer', 'audience', 'claims', 'role'],
);

/** Where GitHub runs jobs, anybody can have one: these say whose it is. */
const githubOwners = ['repository', 'repository_id', 'repository_owner_id', 'repository_owner', 'job_workflow_ref', 'sub'];
const isGithub = (issuer: string): boolean => /^https:\/\/token\.actions\.githubusercontent\.com(\/|$)/.test(issuer) || /\/_services\/token\/?$/.test(issuer);

const machine: Kind<TrustedMachine> = {
  accepts: 'a map of issuer, audience, claims, role, tenant',
  fromText: (given, refuse) => refuse({ found: isQuoted(given), accepts: `${machine.accepts}, in a file` }),
  fromNode(node, refuse) {
    const read = machineMap.fromNode(node, refuse);
    if (read === undefined) return undefined;
    const { issuer, audience, claims, role, tenant } = read;
    const within = (where: string): typeof refuse => inside(refuse, where);
    if (claims.size === 0) return within('.claims')({ found: 'has no claim', accepts: 'at least one claim and its exact value', node });
    if (isGithub(issuer) && !githubOwners.some((name) => claims.has(name))) {
      return within('.claims')({ found: 'does not say whose jobs are meant', accepts: `one of ${githubOwners.join(', ')} among the claims of GitHub Actions`, node });
    }
    if (isGithub(issuer) && /^https:\/\/[^/]+\/[^/]+\/?$/.test(audience)) {
      return within('.audience')({ found: 'is the audience of every job of an owner', accepts: 'an audience of its own, which the workflow asks for', node });
    }
    return { issuer, audience, claims, grant: { role, approve: false, tenant: tenant ?? null } };
  },
};

/** One row a field of `MachinesConfig`. */
export const machinesSection: Section<MachinesConfig> = {
  trusted: {
    key: 'enterprise.auth.machines', kind: listOf(machine), default: [], project: never,
    show: (all) => JSON.stringify(all.map(({ issuer, audience, claims, grant }) => ({ issuer, audience, claims: Object.fromEntries(claims), role: grantWords(grant) }))),
    meaning: 'Machines that show tokens of another issuer, a list of `{issuer, audience, claims: {NAME: EXACT VALUE}, role, tenant}`; see docs/single-sign-on.md',
  },
};

/** One of a few words, written exactly so. */
function exactly<W extends string>(words: readonly W[]): Kind<W> {
  return scalar(`one of ${words.join(', ')}`, (given) => words.find((word) => word === given));
}
