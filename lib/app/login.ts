/**
 * The key that `loki login` got, and how it gets one. It lies in LOKI_HOME/run/login, for its owner alone, with the control
 * plane it is for: it is never shown to another address. Other programs of the same account can read it, so it never decides
 * approvals and is good for twelve hours at most.
 */
import { LokiError, messageOf } from '../errors.ts';
import { objectIn, type JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { isToken } from '../base/token.ts';
import { httpClient } from '../host/http-client.ts';
import type { HttpReply } from '../ports.ts';
import { isLoopback } from '../server/listen.ts';
import { runningAddress } from './control-plane-address.ts';
import { prepareHome, type Installation } from './installation.ts';

/** Who the command line is, and where. */
export interface Login {
  /** Scheme, host and port of the control plane. */
  readonly url: string;
  readonly token: string;
  readonly actor: string;
  /** ISO 8601; null for a key that was pasted and has no end. */
  readonly expiresAt: string | null;
}

/** What the person is told to do. */
export interface DeviceWords {
  readonly userCode: string;
  readonly url: string;
  readonly expiresInS: number;
}

const askMs = 10_000;
const limit = 64 * 1024;

function loginFile({ home }: Installation): string {
  return join(home.run, 'login');
}

/** What `loki login` left behind; undefined when nobody is logged in. Throws `record.unsafe` for a file that others can read. */
export function readLogin(installation: Installation): Login | undefined {
  const { host: { disk }, home } = installation;
  const path = loginFile(installation);
  const bytes = disk.stat(path) === undefined ? undefined : disk.readRecord(home.home, path, 4096);
  if (bytes === undefined) return undefined;
  const hint = 'Remove the file, then run: loki login';
  if ((disk.stat(path)?.mode ?? 0) & 0o077) throw new LokiError('record.unsafe', { attempted: `read ${path}`, found: 'others than its owner may read it', hint });
  const { url, token, actor, expires_at: expiresAt } = objectIn(bytes) ?? {};
  if (typeof url !== 'string' || typeof token !== 'string' || typeof actor !== 'string') throw new LokiError('record.unsafe', { attempted: `read ${path}`, found: 'it holds no login', hint });
  return { url, token, actor, expiresAt: typeof expiresAt === 'string' ? expiresAt : null };
}

/** The key for a control plane, if `loki login` got one for exactly this address and it has not expired. */
export function loginToken(installation: Installation, url: string): string | undefined {
  const login = readLogin(installation);
  if (login === undefined || login.url !== originOf(url)) return undefined;
  return login.expiresAt !== null && Date.parse(login.expiresAt) <= installation.host.clock.now() ? undefined : login.token;
}

function writeLogin(installation: Installation, { url, token, actor, expiresAt }: Login): void {
  prepareHome(installation);
  const { host: { disk }, home } = installation;
  disk.ensureDirectory(home.home, home.run, 0o700);
  disk.replace(home.home, loginFile(installation), Buffer.from(`${JSON.stringify({ url, token, actor, expires_at: expiresAt })}\n`), 0o600);
}

/** Where to log in: what is given, LOKI_URL, the control plane that runs here. Throws `usage` or `net.unreachable`. */
export function loginAddress(installation: Installation, given: string | undefined): string {
  const attempted = 'log in';
  const url = given ?? installation.config.client.url ?? runningAddress(installation);
  if (url === undefined) throw new LokiError('net.unreachable', { attempted, found: 'no control plane runs here, and none is named', hint: 'Name it: loki login --url https://loki.example.com' });
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new LokiError('usage', { attempted, found: `"${url.slice(0, 100)}" is no http address` });
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))) {
    throw new LokiError('usage', { attempted, found: `${originOf(url)} is not reached by https, and a key would be readable on the way`, hint: 'Use an https address' });
  }
  return originOf(url);
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}

/** Keeps a key that somebody pasted, once the control plane has said whose it is. Throws `auth.required` when it does not know it. */
export async function loginWithToken(installation: Installation, url: string, token: string): Promise<Login> {
  if (!/^[A-Za-z0-9_.~+/=-]{1,16384}$/.test(token)) throw new LokiError('auth.required', { attempted: 'log in', found: 'what was given is no key' });
  // One of ours tells by itself that it was mistyped.
  if (token.startsWith('loki_') && !isToken(token)) throw new LokiError('auth.required', { attempted: 'log in', found: 'the key is mistyped: its checksum does not match', hint: 'Copy the whole key again: loki_ and 36 letters and digits' });
  const reply = await ask(url, '/auth/me', undefined, token);
  if (reply.status === 401) throw new LokiError('auth.required', { attempted: 'log in', found: `the control plane does not know the key: ${refusal(reply, objectIn(reply.body) ?? {}).message}` });
  const me = await asked(Promise.resolve(reply), 200);
  const { actor, expires_at: expiresAt, kind } = me;
  if (typeof actor !== 'string' || kind === 'anonymous') throw new LokiError('auth.required', { attempted: 'log in', found: 'the control plane does not know the key' });
  const login = { url, token, actor, expiresAt: typeof expiresAt === 'string' ? expiresAt : null };
  writeLogin(installation, login);
  return login;
}

/**
 * Has a person approve this command line in a browser (RFC 8628). `tell` is told what they must do; resolves once they have
 * done it. Throws `auth.device` when they refuse or take too long, `interrupted` when `signal` aborts.
 */
export async function loginWithBrowser(installation: Installation, url: string, tell: (words: DeviceWords) => void, signal: AbortSignal): Promise<Login> {
  const { clock, timers, facts } = installation.host;
  const begun = await asked(ask(url, '/auth/device', { client: `loki on ${facts.hostname.replace(/[^\x21-\x7e]/g, '-').slice(0, 60)}` }), 201);
  const { device_code: deviceCode, user_code: userCode, verification_uri: where, expires_in: expiresInS } = begun;
  if (typeof deviceCode !== 'string' || typeof userCode !== 'string' || typeof where !== 'string' || typeof expiresInS !== 'number') throw strange(url);
  tell({ userCode, url: where, expiresInS });
  let interval = typeof begun['interval'] === 'number' ? begun['interval'] : 5;
  const until = clock.monotonic() + expiresInS * 1000;
  while (clock.monotonic() < until) {
    await timers.sleep(interval * 1000);
    if (signal.aborted) throw new LokiError('interrupted', { attempted: 'log in', found: 'interrupted while waiting for the browser' });
    const reply = await ask(url, '/auth/device/token', { device_code: deviceCode });
    const answer = objectIn(reply.body) ?? {};
    const { error, access_token: token, actor, expires_in: lastsS } = answer;
    if (reply.status === 200 && typeof token === 'string' && typeof actor === 'string') {
      const login = { url, token, actor, expiresAt: typeof lastsS === 'number' ? new Date(clock.now() + lastsS * 1000).toISOString() : null };
      writeLogin(installation, login);
      return login;
    }
    if (error !== 'authorization_pending' && error !== 'slow_down') throw refusal(reply, answer);
    if (typeof answer['interval'] === 'number') interval = Math.min(60, Math.max(interval, answer['interval']));
  }
  throw new LokiError('auth.device', { attempted: 'log in', found: 'nobody approved it in time' });
}

/** Ends the login: the key is revoked where it was got, as far as that can be reached, and forgotten here. */
export async function logout(installation: Installation): Promise<{ readonly login: Login; readonly unreached: string | undefined } | undefined> {
  const login = readLogin(installation);
  if (login === undefined) return undefined;
  let unreached: string | undefined;
  try {
    const reply = await ask(login.url, '/auth/logout', {}, login.token);
    // A key that is not known any more is as good as revoked.
    if (reply.status !== 200 && reply.status !== 401) unreached = `${login.url} answered ${reply.status}`;
  } catch (error) {
    unreached = messageOf(error);
  }
  installation.host.disk.remove(loginFile(installation));
  return { login, unreached };
}

function ask(url: string, path: string, body: JsonObject | undefined, token?: string): Promise<HttpReply> {
  return httpClient.ask({
    url: url + path, timeoutMs: askMs, limit,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function asked(reply: Promise<HttpReply>, status: number): Promise<JsonObject> {
  const answer = await reply;
  const value = objectIn(answer.body) ?? {};
  if (answer.status !== status) throw refusal(answer, value);
  return value;
}

/** What the control plane said, in its own words. */
function refusal({ status }: HttpReply, { detail, hint }: JsonObject): LokiError {
  const found = typeof detail === 'string' ? detail.slice(0, 500) : `the control plane answered ${status}`;
  const code = status === 401 || status === 403 ? 'auth.required' : status === 404 ? 'not_found' : status === 429 ? 'rate_limited' : 'auth.device';
  return new LokiError(code, { attempted: 'log in', found, ...(typeof hint === 'string' ? { hint: hint.slice(0, 300) } : {}) });
}

function strange(url: string): LokiError {
  return new LokiError('net.unreachable', { attempted: 'log in', found: `${url} does not answer as a control plane` });
}
