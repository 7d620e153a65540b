/**
 * An identity provider in memory: its documents, its keys, its token endpoint, and how often it was asked. Tests change what
 * it answers; nothing opens a socket.
 */
import * as crypto from 'node:crypto';
import { LokiError } from '../../lib/errors.ts';
import type { HttpClient, HttpQuestion, HttpReply } from '../../lib/ports.ts';
import { createIssuer, type Issuer, type IssuerOptions } from '../../lib/server/auth/issuer.ts';
import { createTestClock, type TestClock } from './fakes.ts';

export const issuerName = 'https://op.example.com';
export const clientId = 'loki-client';

type Claims = Readonly<Record<string, unknown>>;

export interface SigningKey {
  readonly privateKey: crypto.KeyObject;
  /** The public half as a set shows it. */
  readonly jwk: Record<string, unknown>;
}

type Curve = 'P-256' | 'P-384' | 'P-521' | 'Ed25519' | 'RSA' | 'RSA-1024';

const made = new Map<string, SigningKey>();

/** A key pair, made once for all tests of a process. `id` tells pairs of one sort apart. */
export function keyOf(curve: Curve, id: string = '1'): SigningKey {
  const name = `${curve}-${id}`;
  const known = made.get(name);
  if (known !== undefined) return known;
  const { privateKey, publicKey } = pairOf(curve);
  const key = { privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid: name } };
  made.set(name, key);
  return key;
}

function pairOf(curve: Curve): crypto.KeyPairKeyObjectResult {
  if (curve === 'RSA' || curve === 'RSA-1024') return crypto.generateKeyPairSync('rsa', { modulusLength: curve === 'RSA' ? 2048 : 1024 });
  return curve === 'Ed25519' ? crypto.generateKeyPairSync('ed25519') : crypto.generateKeyPairSync('ec', { namedCurve: curve });
}

export const base64url = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const curves: Readonly<Record<string, Curve>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519' };

export interface SignOptions {
  readonly alg?: string;
  readonly key?: SigningKey;
  /** More members of the header; `kid: undefined` leaves it out. */
  readonly header?: Claims;
  /** The header or the claims as the text they are. */
  readonly rawHeader?: string;
  readonly rawClaims?: string;
  readonly der?: boolean;
}

/** A signed token. */
export function signed(claims: Claims, options: SignOptions = {}): string {
  const { alg = 'ES256', header = {}, der = false } = options;
  const key = options.key ?? keyOf(curves[alg] ?? 'RSA');
  const text = `${base64url(options.rawHeader ?? { alg, kid: key.jwk['kid'], ...header })}.${base64url(options.rawClaims ?? claims)}`;
  return `${text}.${signatureOf(alg, key, text, der).toString('base64url')}`;
}

function signatureOf(alg: string, { privateKey }: SigningKey, text: string, der: boolean): Buffer {
  const data = Buffer.from(text);
  if (alg === 'EdDSA') return crypto.sign(null, data, privateKey);
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS')) return crypto.createHmac(hash, String(privateKey.export({ format: 'pem', type: 'pkcs8' }))).update(data).digest();
  if (alg.startsWith('ES')) return crypto.sign(hash, data, { key: privateKey, dsaEncoding: der ? 'der' : 'ieee-p1363' });
  if (alg.startsWith('PS')) return crypto.sign(hash, data, { key: privateKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST });
  return crypto.sign(hash, data, privateKey);
}

/** How the provider answers: a document, or a whole answer. */
type Answer = Claims | (() => HttpReply | Promise<HttpReply>);

export interface FakeProvider {
  readonly clock: TestClock;
  readonly http: HttpClient;
  /** What was asked, in order. */
  readonly asked: HttpQuestion[];
  metadata: Record<string, unknown>;
  keys: Record<string, unknown>[];
  /** Answers by path, before the usual ones. */
  readonly answers: Map<string, Answer>;
  down: boolean;
  /** What was told of old documents. */
  readonly stale: string[];
  readonly issuer: (options?: Partial<IssuerOptions>) => Issuer;
  /** Seconds since the epoch, so many from now. */
  readonly at: (seconds?: number) => number;
  /** An id token that is right, but for what is given. */
  readonly idToken: (claims?: Claims, options?: SignOptions) => string;
  count(path: string): number;
}

export function reply(status: number, body: unknown, type: string = 'application/json', more: Readonly<Record<string, string>> = {}): HttpReply {
  return { status, headers: new Map(Object.entries({ 'content-type': type, ...more })), body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}

export function createProvider(name: string = issuerName): FakeProvider {
  const clock = createTestClock();
  const provider: FakeProvider = {
    clock, asked: [], answers: new Map(), down: false, stale: [],
    metadata: {
      issuer: name, authorization_endpoint: `${name}/authorize`, token_endpoint: `${name}/token`, jwks_uri: `${name}/jwks`, userinfo_endpoint: `${name}/userinfo`,
      end_session_endpoint: `${name}/logout`, id_token_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'none', 'HS256'],
    },
    keys: [{ ...keyOf('P-256').jwk }],
    http: { ask: (question) => ask(provider, question) },
    issuer: (options = {}) => createIssuer({ issuer: name, http: provider.http, clock, onStale: (words) => { provider.stale.push(words); }, ...options }),
    at: (seconds = 0) => Math.floor(clock.now() / 1000) + seconds,
    idToken: (claims = {}, options = {}) => signed({ iss: name, aud: clientId, sub: 'alice-1', iat: provider.at(), exp: provider.at(300), ...claims }, options),
    count: (path) => provider.asked.filter(({ url }) => new URL(url).pathname === path).length,
  };
  return provider;
}

async function ask(provider: FakeProvider, question: HttpQuestion): Promise<HttpReply> {
  provider.asked.push(question);
  // As over a network: the answer comes later.
  await Promise.resolve();
  if (provider.down) throw new LokiError('net.unreachable', { attempted: `ask ${new URL(question.url).origin}`, found: 'connect ECONNREFUSED' });
  const { pathname } = new URL(question.url);
  const own = provider.answers.get(pathname);
  const answer = typeof own === 'function' ? await own() : own === undefined ? undefined : reply(200, own);
  const given = answer ?? usual(provider, pathname);
  if (given.body.length > question.limit) throw new LokiError('net.unreachable', { attempted: 'ask', found: `it answers more than ${question.limit} bytes` });
  return given;
}

function usual({ metadata, keys }: FakeProvider, path: string): HttpReply {
  if (path === '/.well-known/openid-configuration') return reply(200, metadata);
  return path === '/jwks' ? reply(200, { keys }, 'application/jwk-set+json') : reply(404, { error: 'not_found' });
}
