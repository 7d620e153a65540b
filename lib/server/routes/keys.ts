/**
 * Keys of the API. Whoever makes or rotates one needs, beside the scope `admin`, a fresh proof that a person stands behind it
 * (contract section 3), once there is somebody here who can give one. A token is in the one answer that makes it, and nowhere else.
 */
import type { JsonObject } from '../../base/json.ts';
import { LokiError } from '../../errors.ts';
import { readKey, stateOf, type ApiKey } from '../auth/api-key.ts';
import type { Asker, Commit, FoundKey, MintedKey } from '../auth/key-room.ts';
import { taking, type ApiRequest, type ApiResponse, type Row } from '../message.ts';
import { requireObject, tagOf, type Found } from '../objects.ts';
import type { Scope } from '../principal.ts';
import { oneOf } from '../query.ts';
import { id, listOf, moment, nullable, record, whole } from '../shape.ts';
import * as shapes from '../shapes.ts';
import type { Services } from '../services.ts';
import { assertUnchanged, list, one } from './collections.ts';
import { jsonResponse } from '../respond.ts';
import type { StoreChange } from '../../store/store.ts';

const wish = record({ name: shapes.keyName }, {
  role: nullable(shapes.role), scopes: listOf(shapes.scope, 10), tenant_id: nullable(id('tenant')), owner: nullable(shapes.owner), cidrs: listOf(shapes.cidr, 100), expires_at: nullable(moment()),
});
const edit = record({}, { name: shapes.keyName, owner: nullable(shapes.owner), cidrs: listOf(shapes.cidr, 100), expires_at: nullable(moment()) }, 'Members that are left out stay as they are; rights are never changed: make another key');
const turn = record({}, { grace_period_hours: whole(0, 720, 'How long the old token goes on working; 24 when left out') });

const usualGraceHours = 24;
const states = ['active', 'expired', 'revoked'] as const;

export function keyRows({ keys, clock, assertFresh }: Services): readonly Row[] {
  const show = (key: ApiKey): JsonObject => {
    const { sha256: _kept, ...told } = key;
    return { ...told, state: stateOf(key, clock.now()) };
  };
  const showFound = ({ value }: Found): JsonObject => show(readKey(value));
  const minted = ({ key, token }: MintedKey, request: ApiRequest): ApiResponse => jsonResponse({ ...show(key), token }, { Location: `${request.path.replace(/\/keys.*$/, '/keys')}/${key.id}` }, 201);

  /** The object of a key may change while it is in use, by the time of that use; what was asked for is then asked for again. */
  const found = async (request: ApiRequest): Promise<FoundKey> => {
    const object = await requireObject(request, 'key', request.params.get('id') ?? '');
    assertUnchanged(request, object, showFound);
    return { key: readKey(object.value), entry: object };
  };

  const create = taking(wish, async (request, { name, role = null, scopes = [], tenant_id, owner = null, cidrs = [], expires_at = null }): Promise<ApiResponse> => {
    const { principal } = request;
    const tenant = tenant_id === undefined ? principal.tenant : tenant_id;
    if (principal.tenant !== null && tenant === null) throw new LokiError('auth.forbidden', { attempted: 'make a key of the installation', found: 'the principal belongs to a tenant' });
    if (principal.tenant !== null && tenant !== principal.tenant) throw new LokiError('not_found', { attempted: 'find the tenant', found: `there is no tenant "${tenant}"` });
    assertFresh(principal, `make the key "${name}"`, givenBy(scopes));
    return minted(await keys.mint({ name, tenant, role, scopes, owner, cidrs, expiresAt: expires_at }, askerOf(request), toldOnce(request)), request);
  });

  const rotate = taking(turn, async (request, { grace_period_hours = usualGraceHours }): Promise<ApiResponse> => {
    const key = await found(request);
    assertFresh(request.principal, `rotate the key "${key.key.name}"`, givenBy(key.key.scopes));
    return minted(await keys.rotate(key, grace_period_hours, askerOf(request), toldOnce(request)), request);
  });

  const update = taking(edit, async (request, members): Promise<ApiResponse> => {
    const { name, owner, cidrs, expires_at } = members;
    const wanted = { ...(name === undefined ? {} : { name }), ...(owner === undefined ? {} : { owner }), ...(cidrs === undefined ? {} : { cidrs }), ...(expires_at === undefined ? {} : { expires_at }) };
    const before = await found(request);
    if (widens(before.key, wanted)) assertFresh(request.principal, `change the key "${before.key.name}"`, givenBy(before.key.scopes));
    const answer = (key: ApiKey): ApiResponse => {
      const after = show(key);
      return jsonResponse(after, { ETag: tagOf(before.entry.key, JSON.stringify(after)) });
    };
    // The key stands first among what is written.
    return answer(await keys.change(before, wanted, askerOf(request), committing(request, ([change]) => answer(readKey(change?.value ?? null)))));
  });

  return [
    {
      method: 'GET', path: '/keys', operation: 'keys.list', summary: 'Keys, in the order they were made; none with its token', scope: 'admin', paged: true, query: { state: oneOf(states) },
      answer: { status: 200, about: 'Keys', shape: shapes.key },
      handle: list({ kind: 'key', newestFirst: false, show: showFound, wanted: ({ query }) => ({ value }) => !query.has('state') || stateOf(readKey(value), clock.now()) === query.get('state') }),
    },
    { method: 'POST', path: '/keys', operation: 'keys.create', summary: 'Makes a key, and tells its token once', scope: 'admin', keyed: 'commit', records: ['auth.token.create'], answer: { status: 201, about: 'The key with its token', shape: shapes.mintedKey }, ...create },
    { method: 'GET', path: '/keys/:id', operation: 'keys.get', summary: 'One key', scope: 'admin', params: { id: 'key' }, answer: { status: 200, about: 'The key', shape: shapes.key }, handle: one('key', showFound) },
    { method: 'PUT', path: '/keys/:id', operation: 'keys.update', summary: 'Changes members of a key', scope: 'admin', params: { id: 'key' }, keyed: 'commit', records: ['config.change'], answer: { status: 200, about: 'The key as it now is', shape: shapes.key }, ...update },
    {
      method: 'DELETE', path: '/keys/:id', operation: 'keys.revoke', summary: 'Revokes a key at once; what it did stays told', scope: 'admin', params: { id: 'key' }, keyed: 'commit', records: ['auth.token.revoke'], answer: { status: 204, about: 'It does not count any more' },
      async handle(request) {
        const answer: ApiResponse = { status: 204, headers: {} };
        await keys.revoke(await found(request), askerOf(request), committing(request, () => answer));
        return answer;
      },
    },
    {
      method: 'POST', path: '/keys/:id/rotate', operation: 'keys.rotate', summary: 'A new token in place of the old one, which goes on working for a while', scope: 'admin', params: { id: 'key' }, keyed: 'commit', records: ['auth.token.rotate'],
      answer: { status: 201, about: 'The new key with its token', shape: shapes.mintedKey }, ...rotate,
    },
  ];
}

function askerOf({ principal: { actor, scopes }, requestId }: ApiRequest): Asker {
  return { actor, scopes, requestId };
}

/** Keeps of a keyed request that it was carried out, and not the token it was answered. */
function toldOnce(request: ApiRequest): Commit {
  return committing(request, () => 'told once');
}

/** Writes with what the request is answered, for one that is sent again. */
function committing(request: ApiRequest, answer: (changes: readonly StoreChange[]) => ApiResponse | 'told once'): Commit {
  return async (checks, changes) => {
    const outcome = await request.commit(checks, changes, answer(changes));
    if (!outcome.committed) throw new LokiError('conflict', { attempted: 'write the key', found: 'it changed meanwhile' });
  };
}

/** Whether who has a key's token may decide. */
function givenBy(scopes: readonly Scope[]): 'approve' | undefined {
  return scopes.includes('approve') ? 'approve' : undefined;
}

/** Whether the key would count from more places or for longer. */
function widens(before: ApiKey, { cidrs, expires_at }: { readonly cidrs?: readonly string[]; readonly expires_at?: string | null }): boolean {
  const wider = cidrs !== undefined && (cidrs.length === 0 ? before.cidrs.length > 0 : before.cidrs.length > 0 && cidrs.some((block) => !before.cidrs.includes(block)));
  const longer = expires_at !== undefined && before.expires_at !== null && (expires_at === null || Date.parse(expires_at) > Date.parse(before.expires_at));
  return wider || longer;
}
