/**
 * From what an identity provider says about somebody to what they may do here. The setting lists values and the role of each,
 * in order: the first that somebody has decides. A claim that is missing, unreadable or left out because it grew too large
 * (Entra's overage) is unknown, and unknown is no access; so is a value that no entry names.
 */
import { LokiError } from '../../errors.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { roleScopes, type Role, type Scope } from '../principal.ts';

/** A role, and the tenant it is for; null: the installation's own. */
export interface Grant {
  readonly role: Role;
  /** Whether its bearer may decide approvals too: no role includes that. */
  readonly approve: boolean;
  readonly tenant: string | null;
}

export interface RoleRules {
  /** Where the values lie: `roles`, or a path such as `realm_access.roles`. */
  readonly claim: string;
  /** In the order that decides. */
  readonly map: ReadonlyMap<string, Grant>;
}

/** What a grant allows. */
export function scopesOf({ role, approve }: Pick<Grant, 'role' | 'approve'>): ReadonlySet<Scope> {
  return new Set<Scope>([...roleScopes[role], ...(approve ? ['approve' as const] : [])]);
}

/** The grant of somebody with these claims. Throws `auth.sign_on`, naming what was missing and no value of a claim. */
export function grantOf(claims: JsonObject, { claim, map }: RoleRules): Grant {
  if (map.size === 0) throw refused('no role is mapped (enterprise.auth.oidc.role_map)');
  const values = valuesAt(claims, claim);
  for (const [value, grant] of map) if (values.has(value)) return grant;
  throw refused(`none of the ${values.size} values of the claim "${claim}" is in enterprise.auth.oidc.role_map`);
}

/** Whether the claim that decides is there in any form, so that nobody has to ask the provider again. */
export function tellsRoles(claims: JsonObject, claim: string): boolean {
  return isLeftOut(claims, claim) || at(claims, claim) !== undefined;
}

function valuesAt(claims: JsonObject, claim: string): ReadonlySet<string> {
  if (isLeftOut(claims, claim)) throw refused(`the provider left the claim "${claim}" out because it has too many values (overage)`);
  const value = at(claims, claim);
  if (value === undefined || value === null) throw refused(`the provider says nothing of the claim "${claim}"`);
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((one) => typeof one === 'string');
  if (texts.length !== list.length) throw refused(`the claim "${claim}" is neither a text nor a list of texts`);
  return new Set(texts);
}

/** A claim of that very name wins over a path through objects: names such as `https://example.com/roles` have points too. */
function at(claims: JsonObject, claim: string): JsonValue | undefined {
  if (Object.hasOwn(claims, claim)) return claims[claim];
  let value: unknown = claims;
  for (const step of claim.split('.')) {
    if (!isPlainObject(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  // Members of what came out of JSON.
  return value as JsonValue;
}

/** `_claim_names` (Core, section 5.6.2) says that a claim is elsewhere; `hasgroups` that a person has groups and the token none of them. */
function isLeftOut(claims: JsonObject, claim: string): boolean {
  const first = claim.split('.')[0] ?? claim;
  const { _claim_names: elsewhere, hasgroups } = claims;
  if (isPlainObject(elsewhere) && (Object.hasOwn(elsewhere, claim) || Object.hasOwn(elsewhere, first))) return true;
  return first === 'groups' && (hasgroups === true || hasgroups === 'true');
}

function refused(found: string): LokiError {
  return new LokiError('auth.sign_on', { attempted: 'let somebody in', found, hint: 'Ask an administrator for a role; docs/single-sign-on.md says how roles are mapped' });
}
