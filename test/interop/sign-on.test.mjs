/**
 * A browser signs in at the control plane through a real OpenID provider (`oidc-provider`) on this machine: it follows redirects,
 * keeps cookies, fills in the provider's forms, comes back, and sees its own tenant only. Then a command line signs in through that
 * browser, a service shows an access token of the same provider, keys rotate, the provider goes away, and the person signs out.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Provider from 'oidc-provider';
import { freePort } from './free-port.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const script = join(root, 'dist/cli/loki.cjs');
const timeout = 60_000;
const groupsOf = { alice: ['payments'], bob: ['search'], carol: ['guests'], root: ['admins'] };
const secret = 'sesame-open-the-door';

const keyFor = (kid) => ({ ...crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' });
const rsa = { ...crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid: 'rsa', use: 'sig' };

/** A real provider on a port of its own; `jwks` are its keys from now on. */
async function openProvider(port, home, jwks) {
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    jwks: { keys: jwks },
    clients: [
      {
        client_id: 'loki', client_secret: secret, redirect_uris: [`${home}/auth/callback`], post_logout_redirect_uris: [`${home}/auth/signed-out`], backchannel_logout_uri: `${home}/auth/backchannel-logout`,
        backchannel_logout_session_required: true, id_token_signed_response_alg: 'RS256',
      },
      { client_id: 'nightly', client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    ],
    claims: { openid: ['sub'], groups: ['groups'], profile: ['preferred_username'] },
    scopes: ['openid', 'groups', 'profile'],
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, groups: groupsOf[id] ?? [], preferred_username: `${id}@example.com` }) }),
    cookies: { keys: ['interop'] },
    features: {
      devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true }, clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true, defaultResource: () => undefined,
        getResourceServerInfo: (_context, resource) => ({ audience: resource, scope: 'api', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
      },
    },
    extraTokenClaims: () => ({ groups: ['admins'] }),
    // Its own refuses to reach this machine.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    pkce: { required: () => true },
    ttl: { Session: 3600, Grant: 3600, IdToken: 300, AccessToken: 300, ClientCredentials: 300, Interaction: 300 },
  });
  provider.on('server_error', (_context, error) => console.error('the provider failed:', error));
  provider.on('backchannel.error', (_context, error) => console.error('the provider failed to tell of a sign-out:', error));
  const server = createServer(provider.callback()).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}

/** A browser: cookies by host and port, redirects one by one, and where it is. */
function browser() {
  const jars = new Map();
  const visited = [];
  const jar = (url) => jars.get(url.host) ?? jars.set(url.host, new Map()).get(url.host);
  async function once_(url, { method = 'GET', headers = {}, body } = {}) {
    const at = new URL(url);
    const cookie = [...jar(at)].map(([name, value]) => `${name}=${value}`).join('; ');
    visited.push(at.href);
    const response = await fetch(at, { method, redirect: 'manual', body, headers: { ...(cookie === '' ? {} : { cookie }), ...headers } });
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';');
      const [name, ...value] = pair.split('=');
      const over = attributes.some((one) => /^\s*max-age=0$/i.test(one) || (/^\s*expires=/i.test(one) && Date.parse(one.split('=')[1]) < Date.now()));
      if (over) jar(at).delete(name);
      else jar(at).set(name, value.join('='));
    }
    return response;
  }
  /** As a person who follows every redirect. */
  async function go(url, options) {
    let response = await once_(url, options);
    let at = url;
    for (let hops = 0; response.status >= 300 && response.status < 400; hops += 1) {
      assert.ok(hops < 20, 'too many redirects');
      at = new URL(response.headers.get('location'), at).href;
      response = await once_(at);
    }
    return { response, at, text: await response.text() };
  }
  const form = (page, fields) => {
    const action = /<form[^>]*action="([^"]+)"/.exec(page.text)?.[1] ?? page.at;
    const hidden = [...page.text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [/name="([^"]*)"/.exec(tag)?.[1], /value="([^"]*)"/.exec(tag)?.[1] ?? '']);
    return go(new URL(action.replaceAll('&amp;', '&'), page.at).href, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ ...Object.fromEntries(hidden), ...fields }).toString() });
  };
  return { go, form, once: once_, visited, cookies: (url) => jar(new URL(url)) };
}

describe('a browser signs in through a real provider', { timeout: 4 * timeout }, () => {
  const place = {};

  before(async () => {
    place.folder = realpathSync(mkdtempSync(join(tmpdir(), 'loki-sign-on-')));
    const lokiHome = join(place.folder, 'loki');
    mkdirSync(lokiHome, { mode: 0o700 });
    [place.port, place.providerPort] = [await freePort(), await freePort()];
    place.url = `http://127.0.0.1:${place.port}`;
    place.issuer = `http://127.0.0.1:${place.providerPort}`;
    place.env = { PATH: process.env.PATH, HOME: place.folder, LOKI_HOME: lokiHome, LANG: 'C.UTF-8', LOKI_ENTERPRISE_AUTH: 'true', LOKI_API_RATE_LIMIT: '0' };
    place.loki = (...args) => spawnSync(process.execPath, [script, ...args], { cwd: place.folder, env: place.env, encoding: 'utf8', timeout });
    place.start = async () => {
      const plane = spawn(process.execPath, [script, 'dashboard', '--port', String(place.port)], { cwd: place.folder, env: place.env, stdio: ['ignore', 'pipe', 'inherit'] });
      await once(plane.stdout, 'data');
      place.plane = plane;
    };
    place.stop = async () => {
      const ended = once(place.plane, 'exit');
      place.plane.kill('SIGTERM');
      await ended;
    };
    place.jwks = [rsa, keyFor('es-1')];
    place.provider = await openProvider(place.providerPort, place.url, place.jwks);
    const configure = (roleMap) => writeFileSync(join(lokiHome, 'config.yaml'), [
      'enterprise:', '  auth:', '    oidc:', `      issuer: ${place.issuer}`, '      client_id: loki', `      client_secret: ${secret}`, '      audience: https://loki.example.com', '      scopes: [openid, groups, profile]',
      '      role_claim: groups', `      role_map: {${roleMap}}`, '      users: {alice: alice}', '',
    ].join('\n'), { mode: 0o600 });
    configure('admins: admin');
    await place.start();
    const { person: administrator } = await signIn('root');
    const tenant = async (name) => {
      const made = await administrator.once(`${place.url}/api/v2/tenants`, json({ name, slug: name.toLowerCase() }));
      assert.equal(made.status, 201, await made.clone().text());
      return (await made.json()).id;
    };
    [place.payments, place.search] = [await tenant('Payments'), await tenant('Search')];
    await place.stop();
    configure(`admins: admin, payments: operator+approve@${place.payments}, search: operator@${place.search}`);
    await place.start();
    // Roles are mapped anew, so whoever signed in before has to do it again.
    assert.equal((await administrator.once(`${place.url}/api/v2/tenants`)).status, 401);
  });

  after(async () => {
    place.plane?.kill('SIGKILL');
    await place.provider?.close();
    rmSync(place.folder, { recursive: true, force: true, maxRetries: 3 });
  });

  const audit = () => readdirSync(join(place.env.LOKI_HOME, 'dashboard/audit')).sort().flatMap((file) => readFileSync(join(place.env.LOKI_HOME, 'dashboard/audit', file), 'utf8').split('\n').filter(Boolean)).map((line) => JSON.parse(line));

  async function signIn(name, { person = browser(), more = '' } = {}) {
    let page = await person.go(`${place.url}/auth/login?return_to=/auth/me${more}`);
    assert.match(page.at, /\/interaction\//, page.text);
    page = await person.form(page, { prompt: 'login', login: name, password: 'x' });
    if (/\/interaction\//.test(page.at)) page = await person.form(page, { prompt: 'consent' });
    return { person, page };
  }

  const json = (value) => ({ method: 'POST', headers: { 'content-type': 'application/json', origin: place.url, 'sec-fetch-site': 'same-origin' }, body: JSON.stringify(value) });

  test('there and back: who it is, from a claim of the user information, in its tenant', { timeout }, async () => {
    const { person, page } = await signIn('alice');
    assert.equal(page.response.status, 200, page.text);
    const me = JSON.parse(page.text);
    assert.deepEqual([me.actor, me.kind, me.tenant_id, me.role, me.name], ['user:alice', 'session', place.payments, 'operator', 'alice@example.com']);
    assert.deepEqual([me.scopes, me.auth_time], [['control'], null]);
    assert.deepEqual([...person.cookies(place.url).keys()], ['loki']);
    assert.ok(!person.visited.some((url) => url.includes(secret) || url.includes(person.cookies(place.url).get('loki'))));
    place.alice = person;
    const entry = audit().findLast(({ event }) => event === 'auth.oidc.success');
    assert.deepEqual([entry.actor, entry.details.subject, entry.details.role, entry.metadata.tenant_id], ['user:alice', 'alice', 'operator', place.payments]);
  });

  test('only whoever has just shown who they are decides approvals', { timeout }, async () => {
    const { page } = await signIn('alice', { person: place.alice, more: '&fresh=true' });
    const me = JSON.parse(page.text);
    assert.deepEqual(me.scopes.toSorted(), ['approve', 'control']);
    assert.ok(Math.abs(Date.parse(me.auth_time) - Date.now()) < timeout);
  });

  test('a person sees and changes their own tenant only', { timeout }, async () => {
    const { person: bob } = await signIn('bob');
    const made = await place.alice.once(`${place.url}/api/v2/projects`, json({ name: 'Ledger' }));
    assert.equal(made.status, 201, await made.clone().text());
    const { id } = await made.json();
    assert.equal((await place.alice.once(`${place.url}/api/v2/projects/${id}`)).status, 200);
    assert.equal((await bob.once(`${place.url}/api/v2/projects/${id}`)).status, 404);
    assert.deepEqual((await (await bob.once(`${place.url}/api/v2/projects`)).json()).data, []);
    assert.deepEqual((await (await bob.once(`${place.url}/api/v2/tenants`)).json()).data?.map((tenant) => tenant.id) ?? [place.search], [place.search]);
    const forged = browser();
    forged.cookies(place.url).set('loki', bob.cookies(place.url).get('loki').replace(place.search, place.payments));
    assert.equal((await forged.once(`${place.url}/api/v2/projects`)).status, 401);
    place.bob = bob;
  });

  test('a page of another site changes nothing with the cookie', { timeout }, async () => {
    for (const headers of [{ origin: 'https://evil.example.com' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site', origin: place.url.replace(/\d+$/, '1') }, {}]) {
      const response = await place.alice.once(`${place.url}/api/v2/projects`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{"name":"x"}' });
      assert.equal(response.status, 403, JSON.stringify(headers));
    }
  });

  test('without a role there is no access, and the record says why', { timeout }, async () => {
    const { person, page } = await signIn('carol');
    assert.equal(page.response.status, 403, page.text);
    assert.match(JSON.parse(page.text).detail, /none of the 1 values of the claim "groups"/);
    assert.equal((await person.once(`${place.url}/api/v2/projects`)).status, 401);
    assert.match(audit().findLast(({ event }) => event === 'auth.oidc.fail').details.reason, /claim "groups"/);
  });

  test('an answer cannot be used again, nor in another browser', { timeout }, async () => {
    const { person } = await signIn('alice');
    const callback = person.visited.find((url) => url.includes('/auth/callback?'));
    assert.equal((await person.once(callback)).status, 403);
    assert.equal((await browser().once(callback)).status, 403);
    const [path, query] = callback.split('?');
    assert.equal((await person.once(`${path}?${query}&state=x`)).status, 400, 'a parameter twice');
  });

  test('a command line signs in through the browser, with at most the person\'s rights and never to approve', { timeout }, async () => {
    const login = spawn(process.execPath, [script, 'login', '--url', place.url, '--json'], { cwd: place.folder, env: place.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [words, out] = ['', ''];
    login.stdout.on('data', (part) => { out += part; });
    const ended = once(login, 'exit');
    const code = await new Promise((found) => { login.stderr.on('data', (part) => { words += part; const match = /code (\S{4}-\S{4})/.exec(words); if (match) found(match[1]); }); });
    assert.equal((await browser().once(`${place.url}/auth/device?user_code=${code}`)).status, 401);
    const shown = await (await place.alice.once(`${place.url}/auth/device?user_code=${code}`)).json();
    assert.deepEqual([shown.user_code, shown.address], [code, '127.0.0.1']);
    assert.equal((await place.alice.once(`${place.url}/auth/device/approve`, json({ user_code: code, decision: 'approve' }))).status, 200);
    assert.deepEqual(await ended, [0, null], words);
    const { actor } = JSON.parse(out);
    assert.equal(actor, 'user:alice');
    const path = join(place.env.LOKI_HOME, 'run/login');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const { token } = JSON.parse(readFileSync(path, 'utf8'));
    const me = await (await fetch(`${place.url}/auth/me`, { headers: { authorization: `Bearer ${token}` } })).json();
    assert.deepEqual([me.kind, me.tenant_id, me.scopes], ['key', place.payments, ['control']]);
    assert.equal(place.loki('logout').status, 0);
    assert.equal(existsSync(path), false);
    assert.equal((await fetch(`${place.url}/auth/me`, { headers: { authorization: `Bearer ${token}` } })).ok && (await (await fetch(`${place.url}/auth/me`, { headers: { authorization: `Bearer ${token}` } })).json()).kind === 'key', false, 'revoked');
  });

  test('a service shows an access token of the provider (RFC 9068); an id token is none', { timeout }, async () => {
    const answer = await fetch(`${place.issuer}/token`, {
      method: 'POST', headers: { authorization: `Basic ${Buffer.from(`nightly:${secret}`).toString('base64')}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'https://loki.example.com', scope: 'api' }),
    });
    const { access_token: token } = await answer.json();
    const me = await (await fetch(`${place.url}/auth/me`, { headers: { authorization: `Bearer ${token}` } })).json();
    assert.deepEqual([me.kind, me.role, me.tenant_id], ['token', 'admin', null], JSON.stringify(me));
    for (const wrong of [`${token.slice(0, -4)}AAAA`, token.replace(/^[^.]+/, Buffer.from('{"alg":"none"}').toString('base64url'))]) {
      assert.equal((await fetch(`${place.url}/api/v2/projects`, { headers: { authorization: `Bearer ${wrong}` } })).status, 401);
    }
    place.token = token;
  });

  test('a restart without the provider: sessions and tokens go on, from documents kept on disk', { timeout }, async () => {
    await place.stop();
    await place.provider.close();
    await place.start();
    assert.equal((await place.alice.once(`${place.url}/api/v2/projects`)).status, 200);
    assert.equal((await fetch(`${place.url}/api/v2/projects`, { headers: { authorization: `Bearer ${place.token}` } })).status, 200);
    place.provider = await openProvider(place.providerPort, place.url, [keyFor('es-2'), rsa]);
  });

  test('signing out ends the session here and at the provider, and comes back with the state it took along', { timeout }, async () => {
    const { person } = await signIn('bob');
    const twin = browser();
    twin.cookies(place.url).set('loki', person.cookies(place.url).get('loki'));
    // The provider remembers the person, so a second sign-on needs no form.
    const second = await person.go(`${place.url}/auth/login?return_to=/auth/me`);
    assert.equal(JSON.parse(second.text).tenant_id, place.search);
    assert.equal((await twin.once(`${place.url}/api/v2/projects`)).status, 200);
    const ended = await person.once(`${place.url}/auth/logout`, json({}));
    const { location } = await ended.json();
    assert.match(location, /\/session\/end\?.*id_token_hint=/);
    assert.equal((await person.once(`${place.url}/api/v2/projects`)).status, 401);
    let page = await person.go(location);
    page = await person.form(page, { logout: 'yes' });
    assert.equal(page.response.status, 200, page.text);
    assert.equal(new URL(page.at).pathname, '/');
    const back = person.visited.find((url) => url.includes('/auth/signed-out'));
    assert.equal((await person.once(back)).status, 403, 'once');
    assert.equal((await person.once(`${place.url}/auth/signed-out?state=x`)).status, 403);
    // The provider has told us as well (back-channel logout).
    assert.equal((await twin.once(`${place.url}/api/v2/projects`)).status, 401);
  });

  test('no secret, code, token or cookie is in the record or among the files', { timeout }, async () => {
    const text = JSON.stringify(audit());
    const secrets = [secret, place.token, place.alice.cookies(place.url).get('loki').split('.')[1], ...place.alice.visited.flatMap((url) => [new URL(url).searchParams.get('code'), new URL(url).searchParams.get('state')])].filter(Boolean);
    for (const one of secrets) assert.ok(!text.includes(one));
  });
});
