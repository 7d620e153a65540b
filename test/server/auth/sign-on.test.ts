/** The code flow with a browser between us and the provider: what it brings back is believed only when everything fits. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import { pkceChallenge } from '../../../lib/base/jws.ts';
import { Secret } from '../../../lib/base/secret.ts';
import { random } from '../../../lib/host/time.ts';
import { createCookieJar } from '../../../lib/server/auth/cookies.ts';
import { isLocalPath } from '../../../lib/server/auth/return-to.ts';
import { createSealedFacts } from '../../../lib/server/auth/sealed.ts';
import { createSignOnFlow, type SignedOn, type SignOnFlow, type SignOnOptions } from '../../../lib/server/auth/sign-on.ts';
import { clientId, createProvider, issuerName, reply, type FakeProvider } from '../../support/issuer-kit.ts';

const origin = 'https://loki.example.com';

interface Scene {
  readonly provider: FakeProvider;
  readonly flow: SignOnFlow;
}

/** A provider whose token endpoint answers with an id token of `claims`, and a control plane that trusts it. */
function scene(options: Partial<SignOnOptions> = {}): Scene {
  const provider = createProvider();
  const jar = createCookieJar(true);
  const flow = createSignOnFlow({
    issuer: provider.issuer(), clientId, clientSecret: undefined, redirectUri: undefined, audience: undefined, scopes: ['openid', 'profile'],
    roles: { claim: 'roles', map: new Map([['ops', { role: 'operator', approve: false, tenant: null }]]) }, http: provider.http, clock: provider.clock, random, jar,
    sealed: createSealedFacts(random, provider.clock), ...options,
  });
  return { provider, flow };
}

/** A browser: the cookies it was given, and what the provider was asked through it. */
interface Browser {
  cookie: string;
  readonly asked: URLSearchParams;
  readonly location: string;
}

async function begin({ flow }: Scene, start: { returnTo?: string; fresh?: boolean; cookie?: string } = {}): Promise<Browser> {
  const { location, cookies } = await flow.begin({ origin, returnTo: start.returnTo, fresh: start.fresh ?? false, cookie: start.cookie });
  return { location, asked: new URL(location).searchParams, cookie: cookies.map((line) => line.split(';')[0]).join('; ') };
}

/** What the token endpoint answers. */
function tokens({ provider }: Scene, browser: Browser, claims: object = {}, answer: object = {}): void {
  provider.answers.set('/token', () => reply(200, {
    access_token: 'at', token_type: 'Bearer', expires_in: 300, id_token: provider.idToken({ nonce: browser.asked.get('nonce'), roles: ['ops'], ...claims }), ...answer,
  }));
}

function finish({ flow }: Scene, browser: Browser, query: Readonly<Record<string, string | undefined>> = {}): Promise<SignedOn> {
  const all = { state: browser.asked.get('state') ?? '', code: 'the-code', ...query };
  return flow.finish({ query: new Map(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)), cookie: browser.cookie });
}

async function refused(words: RegExp, given: Promise<unknown>, about: string): Promise<void> {
  await assert.rejects(given, (error) => error instanceof LokiError && /^auth\./.test(error.code) && (assert.match(error.message, words, about), true), about);
}

test('a sign-on asks with PKCE, state and nonce, and ends with who the person is', async () => {
  const here = scene();
  const browser = await begin(here, { returnTo: '/device?x=1' });
  const { asked } = browser;
  assert.ok(browser.location.startsWith(`${issuerName}/authorize?`));
  assert.deepEqual([asked.get('response_type'), asked.get('client_id'), asked.get('redirect_uri'), asked.get('scope'), asked.get('code_challenge_method')], ['code', clientId, `${origin}/auth/callback`, 'openid profile', 'S256']);
  for (const name of ['state', 'nonce', 'code_challenge']) assert.match(asked.get(name) ?? '', /^[A-Za-z0-9_-]{43}$/, name);
  assert.match(browser.cookie, /^__Host-loki-sign-on-[A-Za-z0-9_-]{12}=[A-Za-z0-9_-]+$/);
  tokens(here, browser);
  const { identity, returnTo, cookies } = await finish(here, browser);
  assert.deepEqual([identity.claims.subject, identity.grant.role, identity.issuer, returnTo], ['alice-1', 'operator', issuerName, '/device?x=1']);
  assert.match(cookies.join(), /Max-Age=0/);
  const form = new URLSearchParams(here.provider.asked.find(({ url }) => url.endsWith('/token'))?.body);
  assert.equal(pkceChallenge(form.get('code_verifier') ?? ''), asked.get('code_challenge'));
  assert.deepEqual([form.get('grant_type'), form.get('code'), form.get('redirect_uri'), form.get('client_id')], ['authorization_code', 'the-code', `${origin}/auth/callback`, clientId]);
});

test('two sign-ons never share a state, a nonce or a verifier, and both can be finished in one browser', async () => {
  const here = scene();
  const [one, two] = [await begin(here), await begin(here)];
  for (const name of ['state', 'nonce', 'code_challenge']) assert.notEqual(one.asked.get(name), two.asked.get(name), name);
  const cookie = `${one.cookie}; ${two.cookie}`;
  for (const browser of [two, one]) {
    tokens(here, browser);
    assert.equal((await finish(here, { ...browser, cookie })).identity.claims.subject, 'alice-1');
  }
});

test('cookies of sign-ons that nobody finished are cleared, so that they cannot fill the header', async () => {
  const here = scene();
  const browsers = await Promise.all([1, 2, 3, 4].map(() => begin(here)));
  const { cookies } = await here.flow.begin({ origin, returnTo: undefined, fresh: false, cookie: browsers.map(({ cookie }) => cookie).join('; ') });
  assert.equal(cookies.filter((line) => line.includes('Max-Age=0')).length, 4);
});

/** Name -> what is wrong with the answer, and what is said; no words: it must pass. */
const answers: Readonly<Record<string, readonly [answer: (here: Scene, browser: Browser) => Promise<unknown>, words?: RegExp | undefined, metadata?: Readonly<Record<string, unknown>>]>> = {
  'state missing': [(here, browser) => finish(here, browser, { state: undefined }), /no "state"/],
  'state wrong': [(here, browser) => finish(here, browser, { state: 'another' }), /did not begin/],
  'state of another browser': [async (here, browser) => finish(here, { ...browser, cookie: (await begin(here)).cookie }), /did not begin/],
  'no cookie': [(here, browser) => finish(here, { ...browser, cookie: '' }), /did not begin/],
  'cookie twice': [(here, browser) => finish(here, { ...browser, cookie: `${browser.cookie}; ${browser.cookie}` }), /did not begin/],
  'cookie changed': [(here, browser) => finish(here, { ...browser, cookie: browser.cookie.replace(/=./, '=A').slice(0, -2) }), /expired, or the control plane was restarted/],
  'cookie of another sign-on under this name': [async (here, browser) => finish(here, { ...browser, cookie: `${browser.cookie.split('=')[0]}=${(await begin(here)).cookie.split('=')[1]}` }), /"state" is not the one/],
  'too late': [(here, browser) => { here.provider.clock.advance(600_001); return finish(here, browser); }, /expired/],
  'iss missing though promised': [(here, browser) => finish(here, browser), /does not say which provider/, { authorization_response_iss_parameter_supported: true }],
  'iss there as promised': [(here, browser) => finish(here, browser, { iss: issuerName }), undefined, { authorization_response_iss_parameter_supported: true }],
  'iss right': [(here, browser) => finish(here, browser, { iss: issuerName })],
  'iss wrong': [(here, browser) => finish(here, browser, { iss: 'https://evil.example.com' }), /from another provider/],
  'iss with a slash': [(here, browser) => finish(here, browser, { iss: `${issuerName}/` }), /from another provider/],
  'JARM': [(here, browser) => finish(here, browser, { response: 'eyJ' }), /"response", which was not asked for/],
  'an id token beside the code': [(here, browser) => finish(here, browser, { id_token: 'eyJ' }), /"id_token", which was not asked for/],
  'an access token beside the code': [(here, browser) => finish(here, browser, { access_token: 'x' }), /"access_token"/],
  'an error': [(here, browser) => finish(here, browser, { error: 'access_denied', error_description: 'sesame' }), /says "access_denied"$/],
  'an error that is text': [(here, browser) => finish(here, browser, { error: '<script>' }), /something that is no error code/],
  'no code': [(here, browser) => finish(here, browser, { code: undefined }), /no "code"/],
  'code refused': [(here, browser) => { here.provider.answers.set('/token', () => reply(400, { error: 'invalid_grant' })); return finish(here, browser); }, /refuses the code: "invalid_grant"/],
  'token endpoint down': [(here, browser) => { here.provider.answers.set('/token', () => { throw new Error('ECONNRESET'); }); return finish(here, browser); }, /ECONNRESET/],
  'token answer a page': [(here, browser) => { here.provider.answers.set('/token', () => reply(200, '<html>', 'text/html')); return finish(here, browser); }, /not JSON/],
  'token answer redirects': [(here, browser) => { here.provider.answers.set('/token', () => reply(307, '')); return finish(here, browser); }, /redirects/],
  'token type in other case': [(here, browser) => { tokens(here, browser, {}, { token_type: 'bEARER' }); return finish(here, browser); }],
  'token type another': [(here, browser) => { tokens(here, browser, {}, { token_type: 'DPoP' }); return finish(here, browser); }, /not of the type "Bearer"/],
  'no token type': [(here, browser) => { tokens(here, browser, {}, { token_type: undefined }); return finish(here, browser); }, /not of the type "Bearer"/],
  'no expires_in, no scope': [(here, browser) => { tokens(here, browser, {}, { expires_in: undefined }); return finish(here, browser); }],
  'expires_in a numeric text': [(here, browser) => { tokens(here, browser, {}, { expires_in: '300' }); return finish(here, browser); }],
  'expires_in a word': [(here, browser) => { tokens(here, browser, {}, { expires_in: 'soon' }); return finish(here, browser); }, /"expires_in" that is no number/],
  'no id token': [(here, browser) => { tokens(here, browser, {}, { id_token: undefined }); return finish(here, browser); }, /no id token/],
  'id token a list': [(here, browser) => { tokens(here, browser, {}, { id_token: ['x'] }); return finish(here, browser); }, /no id token/],
  'id token encrypted': [(here, browser) => { tokens(here, browser, {}, { id_token: 'a.b.c.d.e' }); return finish(here, browser); }, /five parts/],
  'nonce of another sign-on': [async (here, browser) => { tokens(here, await begin(here)); return finish(here, browser); }, /"nonce"/],
  'at_hash wrong': [(here, browser) => { tokens(here, browser, { at_hash: 'AAAA' }); return finish(here, browser); }, /"at_hash"/],
  'no role': [(here, browser) => { tokens(here, browser, { roles: ['guests'] }); return finish(here, browser); }, /none of the 1 values of the claim "roles"/],
  'no role claim, and no user information': [(here, browser) => { tokens(here, browser, { roles: undefined }); return finish(here, browser); }, /says nothing of the claim "roles"/, { userinfo_endpoint: undefined }],
  'roles in the user information': [(here, browser) => { tokens(here, browser, { roles: undefined }); here.provider.answers.set('/userinfo', { sub: 'alice-1', roles: ['ops'] }); return finish(here, browser); }],
  'user information of somebody else': [(here, browser) => { tokens(here, browser, { roles: undefined }); here.provider.answers.set('/userinfo', { sub: 'bob', roles: ['ops'] }); return finish(here, browser); }, /about somebody else/],
  'user information without sub': [(here, browser) => { tokens(here, browser, { roles: undefined }); here.provider.answers.set('/userinfo', { roles: ['ops'] }); return finish(here, browser); }, /about somebody else/],
  'overage': [(here, browser) => { tokens(here, browser, { roles: undefined, _claim_names: { roles: 'src1' } }); here.provider.answers.set('/userinfo', { sub: 'alice-1', roles: ['ops'] }); return finish(here, browser); }, /too many values \(overage\)/],
};

test('answers of the provider pass or are refused, each for its reason', async () => {
  for (const [about, [answer, words, metadata]] of Object.entries(answers)) {
    const here = scene();
    Object.assign(here.provider.metadata, metadata);
    const browser = await begin(here);
    tokens(here, browser);
    if (words === undefined) await answer(here, browser);
    else await refused(words, answer(here, browser), about);
  }
});

test('a sign-on is finished once: the same answer again is refused, and so is its code', async () => {
  const here = scene();
  const browser = await begin(here);
  tokens(here, browser);
  await finish(here, browser);
  await refused(/finished before/, finish(here, browser), 'replayed');
  assert.equal(here.provider.count('/token'), 1);
});

test('after a restart no sign-on that was under way can be finished', async () => {
  const [before, after] = [scene(), scene()];
  await refused(/restarted/, finish(after, await begin(before)), 'another key');
});

test('a fresh proof asks the person again, and takes only a new one', async () => {
  const here = scene();
  const browser = await begin(here, { fresh: true });
  assert.deepEqual([browser.asked.get('prompt'), browser.asked.get('max_age')], ['login', '0']);
  tokens(here, browser);
  await refused(/"auth_time"/, finish(here, browser), 'no auth_time');
  const again = await begin(here, { fresh: true });
  tokens(here, again, { auth_time: here.provider.at(-5) });
  assert.equal((await finish(here, again)).identity.claims.authTimeMs, here.provider.at(-5) * 1000);
});

test('our secret goes where the provider takes it, form-encoded, and never into the address', async () => {
  const secret = 'se sa/me:ö';
  for (const [ways, basic] of [[undefined, true], [['client_secret_post', 'client_secret_basic'], true], [['client_secret_post'], false]] as const) {
    const here = scene({ clientSecret: new Secret(secret) });
    if (ways !== undefined) here.provider.metadata['token_endpoint_auth_methods_supported'] = ways;
    const browser = await begin(here);
    tokens(here, browser);
    await finish(here, browser);
    const asked = here.provider.asked.find(({ url }) => url.endsWith('/token'));
    const form = new URLSearchParams(asked?.body);
    if (basic) assert.equal(Buffer.from((asked?.headers?.['authorization'] ?? '').slice(6), 'base64').toString(), `${clientId}:se+sa%2Fme%3A%C3%B6`);
    assert.equal(form.get('client_secret'), basic ? null : secret);
    assert.ok(!here.provider.asked.some(({ url }) => url.includes('se')  && url.includes('sa%2F')) && !browser.location.includes('sa%2F'));
  }
});

test('only paths of this control plane are returned to', async () => {
  for (const good of ['/', '/device', '/runs?status=running&limit=5', '/a/b.html', '/%C3%A4']) assert.ok(isLocalPath(good), good);
  for (const evil of ['//evil.example.com', '/\\evil.example.com', '\\evil', 'https:evil.example.com', 'https://evil.example.com', 'javascript:alert(1)', '', 'device', '/a//b',
    '/\t/evil', '/\n/evil', '/x\r\nSet-Cookie: a=b', '/ä', '/<script>', `/${'a'.repeat(1024)}`, '/a#//evil', '/a"b', '/.//evil.example.com']) assert.ok(!isLocalPath(evil), evil);
  const here = scene();
  const browser = await begin(here, { returnTo: '//evil.example.com' });
  tokens(here, browser);
  assert.equal((await finish(here, browser)).returnTo, '/');
});
