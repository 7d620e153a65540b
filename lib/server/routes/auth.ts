/**
 * Signing in and out: by the identity provider, by a key that a browser exchanges for a cookie, and for a command line by a
 * code that a signed-in person types. A cookie's value is in the one answer that sets it; no token is ever in an address of
 * ours, and none is shown again.
 */
import { LokiError } from '../../errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { problemDocument, problemMediaType } from '../../formats/problem.ts';
import type { DeviceApprover, DevicePoll, DeviceRequest } from '../auth/device.ts';
import { isLocalPath } from '../auth/return-to.ts';
import type { SignOnService } from '../auth/sign-on-service.ts';
import { taking, type ApiRequest, type ApiResponse, type Row } from '../message.ts';
import { oneOf, plainText, type QueryRule, type QueryRules } from '../query.ts';
import { jsonResponse } from '../respond.ts';
import type { Services } from '../services.ts';
import { choice, listOf, moment, named, nullable, record, text, whole } from '../shape.ts';

/** A parameter of the provider's answer: whatever is in it is looked at by the sign-on. */
const given: QueryRule = { ...plainText(4096), longest: 4096 };

/** Of RFC 6749, 9207, and of flows that were not asked for. What a provider adds beside them is left aside, as RFC 6749 asks. */
const callbackRules: QueryRules = Object.fromEntries(['code', 'state', 'iss', 'error', 'response', 'id_token', 'access_token', 'token_type'].map((name) => [name, given]));

const loginRules: QueryRules = {
  return_to: { accepts: 'a path of this control plane, such as /device', fits: isLocalPath },
  fresh: oneOf(['true']),
};

const me = named('Me', record({
  actor: text({ most: 400 }), kind: choice(['anonymous', 'local', 'key', 'session', 'token', 'hook', 'run']), tenant_id: nullable(text({ most: 40 })), scopes: listOf(text({ most: 20 }), 20),
  role: nullable(text({ most: 20 })), name: nullable(text({ most: 100, about: 'What the identity provider calls the person; proves nothing' })), auth_time: nullable(moment()), expires_at: nullable(moment()),
  sign_on: nullable(text({ most: 2048, about: 'The identity provider to sign in at, /auth/login' })),
}));
const session = named('BrowserSession', record({ actor: text({ most: 400 }), expires_at: moment() }));
const deviceStart = named('DeviceStart', record({
  device_code: text({ most: 100 }), user_code: text({ most: 9, example: 'BCDF-GHJK' }), verification_uri: text({ most: 2048 }), expires_in: whole(1, 3600), interval: whole(1, 3600),
}));
const deviceToken = named('DeviceToken', record({ access_token: text({ most: 100 }), token_type: choice(['Bearer']), expires_in: whole(0, 86_400), actor: text({ most: 400 }), key_id: text({ most: 40 }) }));
const deviceRequest = named('DeviceRequest', record({ user_code: text({ most: 9 }), client: text({ most: 80 }), address: text({ most: 64 }), started_at: moment() }));

const startBody = record({}, { client: text({ least: 1, most: 80, pattern: /^[\x20-\x7e]*$/, accepts: 'printable ASCII', example: 'loki on build-7' }) });
const tokenBody = record({ device_code: text({ most: 200 }) });
const approveBody = record({ user_code: text({ most: 40, example: 'BCDF-GHJK' }), decision: choice(['approve', 'deny']) });
const nothing = record({}, {});

/** Everything about who somebody is. None of it is in `/api`: a browser's session is not the business of a version. */
export function authRows({ signOn, clock }: Services): readonly Row[] {
  // Strangers may send these: what is read of them is bounded by what they hold.
  const usual = { scope: 'none', bodyLimit: 8 * 1024 } as const;
  return [
    { ...usual, method: 'GET', path: '/auth/login', operation: 'auth.login', summary: 'Sends a browser to the identity provider', navigable: true, query: loginRules, answer: { status: 303, about: 'Where to sign in' }, handle: login(signOn) },
    { ...usual, method: 'GET', path: '/auth/callback', operation: 'auth.callback', summary: 'Takes a browser back from the identity provider', navigable: true, records: ['auth.oidc.success', 'auth.oidc.fail'], query: callbackRules, openQuery: true, answer: { status: 303, about: 'Where the browser wanted to go' }, handle: callback(signOn) },
    { ...usual, method: 'POST', path: '/auth/session', operation: 'auth.session', aboutCaller: true, summary: 'Exchanges the key of the request for a session cookie', rate: 'auth', records: ['auth.token.use'], body: nothing, answer: { status: 201, about: 'The session', shape: session }, handle: exchange(signOn) },
    { ...usual, method: 'POST', path: '/auth/logout', operation: 'auth.logout', summary: 'Ends the browser\'s session', greets: true, body: nothing, answer: { status: 200, about: 'Where to sign out at the identity provider too', shape: record({ location: nullable(text({ most: 16_384 })) }) }, handle: logout(signOn) },
    { ...usual, method: 'GET', path: '/auth/signed-out', operation: 'auth.signedOut', summary: 'Takes a browser back from signing out at the identity provider', navigable: true, query: { state: given }, answer: { status: 303, about: 'The page' }, handle: signedOut(signOn) },
    { ...usual, method: 'POST', path: '/auth/backchannel-logout', operation: 'auth.backchannelLogout', summary: 'Ends sessions that the identity provider has ended', greets: true, readsBody: true, answer: { status: 200, about: 'Ended' }, handle: backChannel(signOn) },
    { ...usual, method: 'GET', path: '/auth/me', operation: 'auth.me', aboutCaller: true, summary: 'Tells who is asking', audit: false, answer: { status: 200, about: 'The principal', shape: me }, handle: whoAmI(signOn) },
    { ...usual, method: 'POST', path: '/auth/device', operation: 'auth.device.start', summary: 'Begins the sign-in of a command line', greets: true, rate: 'auth', answer: { status: 201, about: 'The codes', shape: deviceStart }, ...startDevice(signOn) },
    { ...usual, method: 'POST', path: '/auth/device/token', operation: 'auth.device.token', summary: 'Asks whether the sign-in of a command line was approved', greets: true, audit: false, records: ['auth.token.create'], answer: { status: 200, about: 'The key, once', shape: deviceToken }, ...deviceAnswer(signOn, clock) },
    { ...usual, method: 'GET', path: '/auth/device', operation: 'auth.device.show', aboutCaller: true, summary: 'Shows which command line waits with a code', query: { user_code: plainText(40) }, answer: { status: 200, about: 'Who asks, and from where', shape: deviceRequest }, handle: showDevice(signOn) },
    { ...usual, method: 'POST', path: '/auth/device/approve', operation: 'auth.device.decide', aboutCaller: true, summary: 'Lets a command line sign in, or refuses it', answer: { status: 200, about: 'What was decided about', shape: deviceRequest }, ...decideDevice(signOn) },
  ];
}

/** A handler with the body that it takes. */
type Taking = Pick<Row, 'body' | 'handle'>;

/** The address called, as browsers know it. The door has checked the host. */
function originOf({ headers }: ApiRequest, { secure }: SignOnService): string {
  return `${secure ? 'https' : 'http'}://${(headers.get('host') ?? '').toLowerCase()}`;
}

function sendTo(location: string, cookies: readonly string[]): ApiResponse {
  return { status: 303, headers: { Location: location }, cookies };
}

function login(signOn: SignOnService): Row['handle'] {
  return async (request) => {
    const { query, headers } = request;
    const { location, cookies } = await signOn.begin({ origin: originOf(request, signOn), returnTo: query.get('return_to'), fresh: query.has('fresh'), cookie: headers.get('cookie') });
    return sendTo(location, cookies);
  };
}

function callback(signOn: SignOnService): Row['handle'] {
  return async ({ query, headers, requestId, address }) => {
    const { returnTo, cookies } = await signOn.finish({ query, cookie: headers.get('cookie') }, { requestId, address });
    return sendTo(returnTo, cookies);
  };
}

function exchange(signOn: SignOnService): Row['handle'] {
  return async ({ principal, requestId, address }) => {
    const { session: { actor, endsMs }, cookies } = await signOn.exchange(principal, { requestId, address });
    return { ...jsonResponse({ actor, expires_at: new Date(endsMs).toISOString() }, {}, 201), cookies };
  };
}

/** Whoever has no session is signed out already. A command line shows its key instead, which is then revoked. */
function logout(signOn: SignOnService): Row['handle'] {
  return async (request) => {
    if (request.principal.kind === 'key') await signOn.endKey(request.principal);
    const { location, cookies } = await signOn.end(request.headers.get('cookie'), originOf(request, signOn));
    return { ...jsonResponse({ location }), cookies };
  };
}

function signedOut(signOn: SignOnService): Row['handle'] {
  return async ({ query, headers }) => sendTo('/', signOn.signedOut(query.get('state'), headers.get('cookie')));
}

/** OpenID Connect Back-Channel Logout 2.5: a form with one token; what is wrong with it is said by status 400. */
function backChannel(signOn: SignOnService): Row['handle'] {
  return async ({ readForm }) => {
    const token = (await readForm(32 * 1024)).get('logout_token');
    if (token === undefined) throw new LokiError('request.invalid', { attempted: 'end sessions', found: 'there is no "logout_token"' });
    try {
      await signOn.endFrom(token);
    } catch (error) {
      if (!(error instanceof LokiError) || error.code !== 'auth.token') throw error;
      throw new LokiError('request.invalid', { attempted: 'end sessions', found: error.message, cause: error });
    }
    return { status: 200, headers: {} };
  };
}

function whoAmI(signOn: SignOnService): Row['handle'] {
  return async ({ principal: { actor, kind, tenant, scopes, role, authTime }, headers }) => {
    const session = kind === 'session' ? await signOn.sessionOf(headers.get('cookie')) : undefined;
    return jsonResponse({
      actor, kind, tenant_id: tenant, scopes: [...scopes], role: role ?? null, name: session?.name ?? null, auth_time: timeOf(authTime), expires_at: timeOf(session?.endsMs), sign_on: signOn.issuer ?? null,
    });
  };
}

function timeOf(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}

function startDevice(signOn: SignOnService): Taking {
  return taking(startBody, async (request, { client = 'loki' }) => {
    const { deviceCode, userCode, expiresInS, intervalS } = signOn.device.start(client, request.address);
    return jsonResponse({ device_code: deviceCode, user_code: userCode, verification_uri: `${originOf(request, signOn)}/device`, expires_in: expiresInS, interval: intervalS }, {}, 201);
  });
}

function deviceAnswer(signOn: SignOnService, clock: Services['clock']): Taking {
  return taking(tokenBody, async ({ requestId }, { device_code }) => {
    const answer = await signOn.device.poll(device_code);
    if ('error' in answer) return notYet(answer, requestId);
    const { token, keyId, owner, expiresMs } = answer;
    return jsonResponse({ access_token: token, token_type: 'Bearer', expires_in: Math.max(0, Math.floor((expiresMs - clock.now()) / 1000)), actor: owner, key_id: keyId });
  });
}

const deviceWords: Readonly<Record<Extract<DevicePoll, { error: string }>['error'], string>> = {
  authorization_pending: 'nobody has answered yet', slow_down: 'it asks too often', access_denied: 'the person refused it', expired_token: 'the code is unknown, used or has expired',
};

/** A problem document, with the member that RFC 8628, section 3.5, asks for. */
function notYet({ error, intervalS }: Extract<DevicePoll, { error: string }>, requestId: string): ApiResponse {
  const problem = problemDocument(new LokiError('auth.device', { attempted: 'sign in', found: deviceWords[error] }), requestId);
  return { status: problem.status, headers: { 'Content-Type': problemMediaType }, body: JSON.stringify({ ...problem, error, interval: intervalS }) };
}

/** A signed-in browser: a key alone cannot make more keys of its owner this way. */
async function approver(signOn: SignOnService, { principal, headers }: ApiRequest): Promise<DeviceApprover> {
  const by = await signOn.approverOf(principal, headers.get('cookie'));
  if (by !== undefined) return by;
  throw new LokiError('auth.required', { attempted: 'answer the sign-in of a command line', found: 'nobody is signed in with this browser', hint: 'Sign in at /auth/login?return_to=/device' });
}

function shown({ userCode, client, address, startedMs }: DeviceRequest): JsonObject {
  return { user_code: userCode, client, address, started_at: new Date(startedMs).toISOString() };
}

function showDevice(signOn: SignOnService): Row['handle'] {
  return async (request) => jsonResponse(shown(signOn.device.look(request.query.get('user_code') ?? '', await approver(signOn, request))));
}

function decideDevice(signOn: SignOnService): Taking {
  return taking(approveBody, async (request, { user_code, decision }) => {
    return jsonResponse(shown(signOn.device.decide(user_code, await approver(signOn, request), decision === 'approve')));
  });
}
