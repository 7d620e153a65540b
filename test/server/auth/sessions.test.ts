/** Browser sessions, roles, CSRF, the device grant and tokens of machines, without a socket. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import { newId } from '../../../lib/base/ids.ts';
import { random } from '../../../lib/host/time.ts';
import { createCookieJar } from '../../../lib/server/auth/cookies.ts';
import { createDeviceGrants, type DeviceApprover, type DeviceGrants, type KeyOrder } from '../../../lib/server/auth/device.ts';
import { grantOf, type Grant } from '../../../lib/server/auth/roles.ts';
import { requireOwnPage } from '../../../lib/server/auth/same-origin.ts';
import { createSessions, type NewSession, type Sessions } from '../../../lib/server/auth/sessions.ts';
import { createTokenCheck, type TrustedIssuer } from '../../../lib/server/auth/trusted-issuers.ts';
import type { Store } from '../../../lib/store/store.ts';
import { createTestClock, type TestClock } from '../../support/fakes.ts';
import { createProvider, signed } from '../../support/issuer-kit.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const tenant = newId('tenant', 1, new Uint8Array(10));
const hour = 3_600_000;
const alice: NewSession = { actor: 'user:alice', tenant, scopes: ['control'], name: 'Alice', issuer: 'https://op', subject: 'a-1', sid: 's-1', authTimeMs: 5, idToken: 'the-id-token' };

interface Room {
  readonly store: Store;
  readonly clock: TestClock;
  readonly sessions: Sessions;
  again(terms?: string): Sessions;
}

function room(): Room {
  const [store, clock] = [createMemoryStore(), createTestClock()];
  const again = (terms = 'terms'): Sessions => createSessions({ store, clock, random, terms });
  return { store, clock, sessions: again(), again };
}

async function stored(store: Store): Promise<readonly { readonly key: string; readonly value: unknown }[]> {
  return store.list('', { limit: 100 });
}

test('a session is found by its cookie, by nothing that is stored, and its id token opens for it alone', async () => {
  const { store, sessions } = room();
  const { value } = await sessions.begin(alice);
  const found = await sessions.find(value);
  assert.deepEqual([found?.actor, found?.tenant, found?.scopes, found?.authTimeMs], ['user:alice', tenant, ['control'], 5]);
  const everything = JSON.stringify(await stored(store));
  assert.ok(!everything.includes(value.split('.')[1] ?? '-') && !everything.includes('the-id-token'));
  for (const { key } of await stored(store)) assert.equal(await sessions.find(key.split('/').pop() ?? ''), undefined);
  assert.equal((await sessions.end(value))?.idToken, 'the-id-token');
  assert.equal(await sessions.find(value), undefined);
  assert.deepEqual(await stored(store), []);
});

test('the tenant stands in the cookie and in the key: another tenant\'s cookie opens nothing', async () => {
  const { store, sessions } = room();
  const { value } = await sessions.begin(alice);
  const other = newId('tenant', 2, new Uint8Array(10));
  assert.ok((await stored(store)).some(({ key }) => key.startsWith(`t/${tenant}/sessions/`)));
  for (const forged of [value.replace(tenant, other), value.replace(tenant, ''), value.slice(0, -1), `${value}A`, value.replace('.', '..'), `../${value}`, '', '.', 'x'.repeat(9000)]) {
    assert.equal(await sessions.find(forged), undefined, forged.slice(0, 50));
  }
});

test('a session ends when it is idle, at its time, and when roles are mapped anew', async () => {
  const { clock, sessions, again } = room();
  const { value } = await sessions.begin(alice);
  clock.advance(7 * hour);
  assert.ok(await sessions.find(value));
  clock.advance(4.9 * hour);
  assert.ok(await again().find(value), 'a use keeps it alive, across a restart');
  clock.advance(0.2 * hour);
  assert.equal(await sessions.find(value), undefined, 'twelve hours');
  const idle = (await sessions.begin(alice)).value;
  clock.advance(8 * hour + 1);
  assert.equal(await sessions.find(idle), undefined, 'idle');
  const mapped = (await sessions.begin(alice)).value;
  assert.equal(await again('other terms').find(mapped), undefined, 'other terms');
  const bounded = (await sessions.begin({ ...alice, endsMs: clock.now() + 1000 })).value;
  clock.advance(1000);
  assert.equal(await sessions.find(bounded), undefined, 'its own end');
});

test('the provider ends a person\'s sessions, or one of them, and nobody else\'s', async () => {
  const { store, sessions, clock } = room();
  const [one, two] = [(await sessions.begin(alice)).value, (await sessions.begin({ ...alice, sid: 's-2', tenant: null })).value];
  const bob = (await sessions.begin({ ...alice, actor: 'user:bob', subject: 'b-1', sid: 's-1' })).value;
  assert.equal(await sessions.endOf('https://other', { subject: undefined, sid: 's-2' }), 0);
  assert.equal(await sessions.endOf('https://op', { subject: 'a-1', sid: 's-2' }), 1);
  assert.deepEqual([await sessions.find(two), (await sessions.find(one))?.actor], [undefined, 'user:alice']);
  assert.equal(await sessions.endOf('https://op', { subject: 'a-1', sid: undefined }), 1);
  assert.deepEqual([await sessions.find(one), (await sessions.find(bob))?.actor], [undefined, 'user:bob']);
  assert.equal(await sessions.sweep(), 0);
  clock.advance(13 * hour);
  assert.equal(await sessions.sweep(), 1);
  assert.deepEqual(await stored(store), []);
});

test('cookies are for this host, out of reach of scripts, and count only when they come once', () => {
  const [secure, plain] = [createCookieJar(true), createCookieJar(false)];
  assert.equal(secure.set('loki', 'v', 60), '__Host-loki=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure');
  assert.equal(plain.set('loki', 'v', 60), 'loki=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax');
  assert.equal(secure.read('a=b; __Host-loki=v; c=d', 'loki'), 'v');
  for (const header of [undefined, '', 'loki=v', '__Host-loki=a; __Host-loki=b', '__Host-lokix=v', '=v']) assert.equal(secure.read(header, 'loki'), undefined, header);
});

test('a cookie speaks only for our own page when something is to change', () => {
  const host = 'loki.example.com';
  const own = `https://${host}`;
  const rows: readonly (readonly [method: string, headers: Readonly<Record<string, string>>, passes: boolean])[] = [
    ['GET', {}, true], ['HEAD', { origin: 'https://evil.example.com' }, true],
    ['POST', { 'sec-fetch-site': 'same-origin', origin: own }, true], ['POST', { 'sec-fetch-site': 'none' }, true], ['POST', { origin: own }, true], ['POST', { origin: own.toUpperCase() }, true],
    ['POST', {}, false], ['DELETE', {}, false], ['PUT', {}, false],
    ['POST', { origin: 'null' }, false], ['POST', { origin: `http://${host}` }, false], ['POST', { origin: `${own}:8443` }, false], ['POST', { origin: 'https://evil.example.com' }, false],
    ['POST', { 'sec-fetch-site': 'same-site', origin: own }, false], ['POST', { 'sec-fetch-site': 'cross-site', origin: own }, false], ['POST', { 'sec-fetch-site': 'none', origin: 'https://evil.example.com' }, false],
  ];
  for (const [method, headers, passes] of rows) {
    const check = (): void => requireOwnPage(method, new Map(Object.entries({ host, ...headers })), true);
    if (passes) check();
    else assert.throws(check, { code: 'request.origin' }, JSON.stringify([method, headers]));
  }
});

const grant = (role: Grant['role']): Grant => ({ role, approve: false, tenant: null });

test('the first value of the map that somebody has decides; unknown is no access', () => {
  const map = new Map([['admins', grant('admin')], ['ops', grant('operator')], ['all', grant('viewer')]]);
  const rows: readonly (readonly [claim: string, claims: object, role: string | RegExp])[] = [
    ['roles', { roles: ['all', 'ops'] }, 'operator'], ['roles', { roles: 'ops' }, 'operator'], ['realm_access.roles', { realm_access: { roles: ['admins'] } }, 'admin'],
    ['resource_access.loki.roles', { resource_access: { loki: { roles: ['ops'] } } }, 'operator'], ['https://acme.example/roles', { 'https://acme.example/roles': ['ops'] }, 'operator'],
    ['roles', {}, /says nothing/], ['roles', { roles: [] }, /none of the 0 values/], ['roles', { roles: ['Ops', 'ops '] }, /none of the 2 values/], ['roles', { roles: null }, /says nothing/],
    ['roles', { roles: ['ops', 7] }, /neither a text/], ['roles', { roles: { ops: true } }, /neither a text/], ['roles', { roles: [['ops']] }, /neither a text/], ['roles', { roles: true }, /neither a text/],
    ['groups', { hasgroups: true }, /overage/], ['groups', { hasgroups: 'true', groups: ['ops'] }, /overage/], ['groups', { _claim_names: { groups: 'src1' }, _claim_sources: {} }, /overage/],
    ['realm_access.roles', { realm_access: 'ops' }, /says nothing/], ['__proto__.x', {}, /says nothing/], ['constructor.name', {}, /says nothing/], ['roles.length', { roles: ['ops'] }, /says nothing/],
  ];
  for (const [claim, claims, expected] of rows) {
    const look = (): string => grantOf(JSON.parse(JSON.stringify(claims)), { claim, map }).role;
    if (typeof expected === 'string') assert.equal(look(), expected, JSON.stringify(claims));
    else assert.throws(look, expected, JSON.stringify(claims));
  }
  assert.throws(() => grantOf({ roles: ['ops'] }, { claim: 'roles', map: new Map() }), /no role is mapped/);
});

const approver: DeviceApprover = { actor: 'user:alice', owner: 'user:alice', tenant, scopes: new Set(['control', 'approve']), endsMs: Infinity };

function devices(): { readonly clock: TestClock; readonly grants: DeviceGrants; readonly orders: KeyOrder[] } {
  const clock = createTestClock();
  const orders: KeyOrder[] = [];
  const grants = createDeviceGrants({ clock, random, issueKey: async (order) => { orders.push(order); return { id: 'key_1', token: 'loki_x' }; } });
  return { clock, grants, orders };
}

test('a command line waits, a person approves, and it gets one key: no more rights, no approving, twelve hours', async () => {
  const { clock, grants, orders } = devices();
  const { deviceCode, userCode, intervalS } = grants.start('loki on host', '10.0.0.9');
  assert.match(userCode, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  const ask = async (): Promise<string> => { clock.advance(intervalS * 1000); const answer = await grants.poll(deviceCode); return 'error' in answer ? answer.error : answer.token; };
  assert.equal(await ask(), 'authorization_pending');
  const shown = grants.look(userCode.toLowerCase().replace('-', ' '), approver);
  assert.deepEqual([shown.client, shown.address], ['loki on host', '10.0.0.9']);
  grants.decide(userCode, approver, true);
  assert.throws(() => grants.decide(userCode, approver, false), { code: 'not_found' }, 'decided once');
  assert.equal(await ask(), 'loki_x');
  assert.equal(await ask(), 'expired_token', 'told once');
  assert.deepEqual(orders.map(({ owner, tenant: of, scopes, expiresMs }) => [owner, of, scopes, expiresMs]), [['user:alice', tenant, ['control'], clock.now() - intervalS * 1000 + 12 * hour]]);
});

test('polling too often slows down, a refusal and a code of long ago are told, and a code is never guessed for long', async () => {
  const { clock, grants } = devices();
  const { deviceCode, userCode } = grants.start('a', '10.0.0.9');
  const ask = async (after: number): Promise<string> => { clock.advance(after); const answer = await grants.poll(deviceCode); return 'error' in answer ? `${answer.error} ${answer.intervalS}` : 'token'; };
  assert.deepEqual([await ask(0), await ask(1000), await ask(1000), await ask(16_000)], ['authorization_pending 5', 'slow_down 10', 'slow_down 15', 'authorization_pending 15']);
  grants.decide(userCode, approver, false);
  assert.equal(await ask(16_000), 'access_denied 15');
  assert.equal(await ask(16_000), 'expired_token 5');
  assert.deepEqual(await grants.poll('made-up'), { error: 'expired_token', intervalS: 5 });
  const late = grants.start('b', '10.0.0.9');
  clock.advance(600_001);
  assert.throws(() => grants.look(late.userCode, approver), { code: 'not_found' });
  const { userCode: right } = grants.start('c', '10.0.0.9');
  for (let n = 0; n < 9; n += 1) assert.throws(() => grants.look('BBBB-BBBB', approver), { code: 'not_found' });
  assert.throws(() => grants.look(right, approver), { code: 'rate_limited' });
  assert.equal(grants.look(right, { ...approver, actor: 'user:bob' }).client, 'c', 'others are not held up');
  clock.advance(500_000);
  for (let n = 0; n < 20; n += 1) if (n < 19) grants.start('d', '10.0.0.9'); else assert.throws(() => grants.start('d', '10.0.0.9'), { code: 'rate_limited' });
  grants.start('e', '10.0.0.10');
});

test('a session that ends soon gives no key that lasts longer', async () => {
  const { clock, grants, orders } = devices();
  const { deviceCode, userCode } = grants.start('a', '10.0.0.9');
  grants.decide(userCode, { ...approver, endsMs: clock.now() + 60_000 }, true);
  await grants.poll(deviceCode);
  assert.equal(orders[0]?.expiresMs, clock.now() + 60_000);
});

const github = 'https://token.actions.githubusercontent.com';

test('a CI job is who its exact claims say, never whose name begins alike', async () => {
  const provider = createProvider(github);
  const issuer = provider.issuer();
  const entry = (claims: Readonly<Record<string, string>>, role: Grant['role']): TrustedIssuer =>
    ({ issuer, audience: 'loki.example.com', clientId: undefined, grants: { claims: new Map(Object.entries(claims)), grant: grant(role) } });
  const check = createTokenCheck([
    entry({ repository: 'acme/shop', environment: 'production' }, 'operator'), entry({ repository: 'acme/shop', ref: 'refs/heads/main' }, 'viewer'),
    entry({ job_workflow_ref: 'acme/ci/.github/workflows/loki.yml@refs/tags/v1' }, 'auditor'), entry({ repository_id: '123' }, 'viewer'),
  ], provider.clock);
  const job = (claims: object): string => signed({ iss: github, aud: 'loki.example.com', sub: 'repo:acme/shop:ref:refs/heads/main', iat: provider.at(), exp: provider.at(300), repository: 'acme/shop', ...claims }, { header: { typ: 'JWT' } });
  const rows: readonly (readonly [object, string | RegExp])[] = [
    [{ environment: 'production' }, 'operator'], [{ ref: 'refs/heads/main' }, 'viewer'], [{ repository: 'other/x', job_workflow_ref: 'acme/ci/.github/workflows/loki.yml@refs/tags/v1' }, 'auditor'],
    [{ repository: 'x', repository_id: 123 }, 'viewer'],
    [{ ref: 'refs/heads/main-evil' }, /claim/], [{ repository: 'acme/shop-evil', environment: 'production' }, /claim/], [{ repository: 'ACME/shop', environment: 'production' }, /claim/],
    [{ environment: ['production'] }, /claim/], [{}, /claim "environment" is not what/],
    [{ aud: 'https://github.com/acme', environment: 'production' }, /audience/], [{ iss: `${github}.evil.example.com`, environment: 'production' }, /nobody who is trusted/],
    [{ iss: 'https://op.example.com', environment: 'production' }, /nobody who is trusted/], [{ iss: `${github}/`, environment: 'production' }, /another issuer/], [{ iss: undefined }, /nobody who is trusted/],
  ];
  for (const [claims, expected] of rows) {
    const about = JSON.stringify(claims);
    if (typeof expected === 'string') assert.equal((await check(job(claims))).grant.role, expected, about);
    else await assert.rejects(check(job(claims)), (error) => error instanceof LokiError && error.code === 'auth.token' && expected.test(error.message), about);
  }
  assert.equal(provider.count('/jwks'), 1);
});
