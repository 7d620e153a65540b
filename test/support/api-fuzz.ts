/** Requests that nobody would write, made from the OpenAPI document: good ones first, then spoiled in one or more of many ways. */
import assert from 'node:assert/strict';
import type { HttpRequest, HttpResponse } from '../../lib/base/http.ts';
import type { JsonObject, JsonValue } from '../../lib/base/json.ts';
import { isPlainObject } from '../../lib/base/json.ts';
import { errorMeanings, LokiError } from '../../lib/errors.ts';
import { problemMediaType } from '../../lib/formats/problem.ts';
import { localToken, port, send } from './api-kit.ts';
import type { Draw } from './property.ts';
import { packageRoot } from './root.ts';
import { samples, type Ask } from './samples.ts';
import { within } from './schema-check.ts';
import { as, twoTenants, type World } from './two-tenants.ts';

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly scope: string;
  readonly query: readonly JsonObject[];
}

/** A request on its way to be sent. */
interface Draft {
  method: string;
  path: string;
  query: string[];
  body: Uint8Array | undefined;
  lines: [string, string][];
}

const texts = [
  '', ' ', '\u0000', 'a\u0000b', '\r\nX-Evil: 1', 'a\nb', '\ud800', 'x\udfff', '../../../etc/passwd', '..%2f..%2f', '%2e%2e', '%00', '%', '%zz', '__proto__', 'constructor', 'toString', 'null', 'undefined', 'NaN', '-1', '1e309',
  '9'.repeat(40), 'a'.repeat(5000), '💥', '\u202egnp.exe', '<script>', '\' OR 1=1 --', '${jndi:ldap://x}', '{{7*7}}', '*', 'true', '2026-02-30', '0001-01-01', '9999-12-31T23:59:59.999Z', 'W/"x"', '"', '\\',
] as const;
const values: readonly JsonValue[] = [null, true, false, 0, -1, 1.5, 2 ** 53, -(2 ** 53), 1e308, [], {}, [[]], [null], { a: { b: {} } }, { length: 5 }, { toString: 1 }, ...texts];
const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '', 'id', 'tenant_id', 'scopes', 'x'.repeat(300), '\u0000', 'a/b~c', '💥'];
const media = ['application/json', 'text/plain', 'application/json; charset=latin1', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json, text/plain', '', 'application/json;'.repeat(100)];
const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT', 'get', 'PROPFIND', '', 'GET\u0000'];
const headers = ['authorization', 'cookie', 'idempotency-key', 'if-match', 'if-none-match', 'last-event-id', 'accept', 'origin', 'sec-fetch-site', 'content-encoding', 'x-forwarded-for', 'forwarded', 'host', 'transfer-encoding', 'x-anything', '__proto__', 'range', 'expect', 'x-loki-entrypoint'];

/** Everything that a document offers. */
function operationsOf(document: JsonObject): readonly Operation[] {
  return Object.entries(within(document['paths'])).flatMap(([path, byMethod]) => Object.entries(byMethod as JsonObject).map(([method, said]) => {
    const { operationId, parameters = [] } = said as JsonObject;
    return { id: String(operationId), method: method.toUpperCase(), path, scope: String((said as JsonObject)['x-loki-scope']), query: (parameters as readonly JsonObject[]).filter((one) => one['in'] === 'query') };
  }));
}

/** Somewhere inside a value, something else. */
function spoiled(draw: Draw, value: JsonValue): JsonValue {
  if (draw.chance(0.4) || typeof value !== 'object' || value === null) return draw.pick(values);
  const entries = Object.entries(value) as [string, JsonValue][];
  if (Array.isArray(value)) return draw.chance(0.3) ? Array.from({ length: draw.integer(0, 2000) }, () => draw.pick(values)) : value.map((item: JsonValue) => (draw.chance(0.5) ? spoiled(draw, item) : item));
  if (entries.length === 0 || draw.chance(0.3)) return Object.fromEntries([...entries, [draw.pick(names), draw.pick(values)]]);
  const at = draw.integer(0, entries.length - 1);
  if (draw.chance(0.15)) return Object.fromEntries(entries.filter((_, index) => index !== at));
  return Object.fromEntries(entries.map(([name, member], index) => [name, index === at ? spoiled(draw, member) : member]));
}

function spoiledText(draw: Draw, text: string): Uint8Array {
  const deep = draw.integer(2, 400);
  const name = draw.pick(names.slice(0, 6));
  const ways: readonly (() => string | Uint8Array)[] = [
    () => `${'['.repeat(deep)}${']'.repeat(deep)}`, () => `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`, () => text.slice(0, draw.integer(0, text.length)), () => `\ufeff${text}`, () => `${text}${text}`, () => '',
    () => text.replace('{', `{"${name}":1,"${name}":2,`), () => text.replace('{', '{"__proto__":{"admin":true},'), () => text.replace('{', '{"\\u005f\\u005fproto__":1,'), () => text.replace(/":"/, '":"\\ud800'), () => text.replace(/":"/, '":"\\u0000'),
    () => text.replace(/\d+/, '1e400'), () => `${' '.repeat(70_000)}${text}`, () => 'NaN', () => '{a:1}', () => `[${text}]`, () => JSON.stringify(text),
    () => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0xfe, 0xc0, 0x80]), Buffer.from('}')]), () => Buffer.from([0xed, 0xa0, 0x80]), () => Buffer.from(text, 'utf16le'),
  ];
  const made = draw.pick(ways)();
  return typeof made === 'string' ? Buffer.from(made) : made;
}

/** One way to make a request worse. */
const spoilers: readonly ((draw: Draw, draft: Draft, world: World) => void)[] = [
  (draw, draft) => { draft.method = draw.pick(methods); },
  (draw, draft) => { const parts = draft.path.split('/'); parts[draw.integer(1, parts.length - 1)] = draw.pick([...texts, '..', '.', '%2e%2e', 'run_01J8Z3T5C6D7E8F9G0H1J2K3M4', 'run_%00', ';a=b', 'RUN_01j8', 'tnt_' + '7'.repeat(26), 'tnt_' + 'Z'.repeat(26), 'x'.repeat(3000)]); draft.path = parts.join('/'); },
  (draw, draft, { alpha, beta }) => { draft.path = draft.path.replace(/[a-z]{3}_[0-7][0-9A-Z]{25}/, draw.pick([...Object.values(alpha), ...Object.values(beta)])); },
  (draw, draft) => { draft.query.push(`${encodeURIComponent(wellFormed(draw.pick([...names, 'limit', 'cursor', 'offset', 'project_id', 'after'])))}=${encodeURIComponent(wellFormed(draw.pick(texts)))}`); },
  (draw, draft) => { draft.query.push(draw.pick(['%', 'a=%ff', 'limit=1&limit=2', '&'.repeat(50), '=', 'limit', 'cursor=', 'start=0001-01-01&end=9999-12-31', 'a=é', '?', '#'])); },
  (draw, draft) => { draft.lines.push([draw.pick(headers), draw.pick(texts)]); },
  (draw, draft) => { draft.lines = draft.lines.map(([name, value]) => [name, name === 'content-type' ? draw.pick(media) : value]); },
  (draw, draft) => { draft.lines.push(['idempotency-key', draw.pick(['a', '"a"', '"', 'é', 'a'.repeat(256), 'a b', '"a b"', ''])]); },
  (draw, draft, { callers }) => { draft.lines = [...draft.lines.filter(([name]) => name !== 'authorization'), ['authorization', draw.pick(Object.values(callers))]]; },
  (draw, draft) => { if (draft.body !== undefined) draft.body = spoiledText(draw, Buffer.from(draft.body).toString('utf8')); },
  (draw, draft) => { if (draft.body === undefined) draft.body = Buffer.from(draw.pick(['{}', '', 'a=b', 'null'])); },
];

/** A text that can be percent-encoded. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

/** A value of a parameter that its schema allows. */
function goodValue(draw: Draw, { enum: known, type, minimum, maximum, examples, pattern }: JsonObject): string {
  if (Array.isArray(known)) return String(draw.pick(known as readonly JsonValue[]));
  if (type === 'integer') return String(draw.integer(Number(minimum), Math.min(Number(maximum), 50)));
  if (Array.isArray(examples)) return String(examples[0]);
  return typeof pattern === 'string' ? `${/^\^([a-z]{3}_)/.exec(pattern)?.[1] ?? ''}01J8Z3T5C6D7E8F9G0H1J2K3M4` : draw.pick(['2026-02-15', '24h', '2026-02-15T14:30:00Z', 'something']);
}

/** Bodies are spoiled as values more often than anything else. */
function draftOf(draw: Draw, operation: Operation, { path = [], query, body, headers: given }: Ask, world: World): Draft {
  let at = 0;
  const right = { approve: ['scope.approve'], hook: ['hook'], run: ['run', 'otherRun'] }[operation.scope] ?? ['root', 'root', 'scope.admin', 'other'];
  const caller = draw.chance(0.85) ? world.callers[draw.pick(right)] ?? '' : draw.pick([...Object.values(world.callers), `Bearer ${localToken}`]);
  const spoil = body !== undefined && typeof body !== 'string' && draw.chance(0.6);
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(spoil ? spoiled(draw, body as JsonValue) : body);
  const draft: Draft = {
    method: operation.method, path: operation.path.replaceAll(/\{[A-Za-z]+\}/g, () => path[at++] ?? 'x'), query: query === undefined ? [] : [query], body: text === undefined ? undefined : Buffer.from(text),
    lines: [['host', `127.0.0.1:${port}`], ['authorization', caller], ...(text === undefined ? [] : [['content-type', 'application/json'] as [string, string]]), ...Object.entries(given ?? {})],
  };
  for (const rule of operation.query) if (draw.chance(0.15)) draft.query.push(`${String(rule['name'])}=${encodeURIComponent(wellFormed(draw.chance(0.6) ? goodValue(draw, within(rule['schema'])) : draw.pick(texts)))}`);
  const times = spoil ? Math.max(0, draw.integer(-2, 1)) : draw.integer(0, 3);
  for (let n = 0; n < times; n += 1) draw.pick(spoilers)(draw, draft, world);
  return draft;
}

/** What must hold of every answer, whatever was asked. */
function assertCivil(response: HttpResponse, told: string): void {
  const { status, headers: answered, body } = response;
  assert.ok(status >= 200 && status < 500, `${told} gave ${status} ${String(body).slice(0, 400)}`);
  for (const [name, value] of Object.entries(answered)) assert.doesNotMatch(name + value, /[\r\n\0]/, told);
  const text = String(body ?? '');
  assert.ok(!text.includes(packageRoot) && !/\n\s+at |node:internal|\.js:\d+:\d+/.test(text), `${told} shows where it runs: ${text.slice(0, 300)}`);
  if (status < 400) return;
  assert.equal(answered['Content-Type'], problemMediaType, told);
  const problem = JSON.parse(text) as JsonObject;
  assert.ok(Object.hasOwn(errorMeanings, String(problem['code'])), `${told}: ${text.slice(0, 200)}`);
  assert.equal(problem['status'], status, told);
}

/** How much there is in a store. */
async function sizeOf({ store }: World): Promise<number> {
  return (await store.list('', { limit: 1_000_000 })).length;
}

/** Sends so many requests. Fails with the number of the request that something was wrong with. */
export async function fuzz(draw: Draw, rounds: number, told: string): Promise<void> {
  const world = await twoTenants();
  const document = JSON.parse(String((await as(world, undefined, '/openapi.json')).body)) as JsonObject;
  const all = operationsOf(document);
  // Files of the page are many, and all alike.
  const operations = all.filter(({ id }) => !id.startsWith('web.') || id === 'web.index.html');
  const prepared = new Map<string, Ask>();
  let [written, keyed] = [0, 0];
  const size = await sizeOf(world);
  for (let round = 0; round < rounds; round += 1) {
    const operation = draw.pick(operations);
    const name = operation.id.replace(/^v1\./, '');
    const sample = samples[name] ?? samples['web.index.html'];
    // Something fresh now and then; in between the last one, which may be gone by then.
    const before = await world.store.revision();
    const known = prepared.get(name);
    const asked = known !== undefined && draw.chance(0.8) ? known : await sample?.ask(world, draw.pick([world.alpha, world.beta])) ?? {};
    prepared.set(name, asked);
    const prepares = await world.store.revision() - before;
    const draft = draftOf(draw, operation, asked, world);
    const response = await exchange(world, draft);
    const what = `${told} request ${round}: ${draft.method} ${JSON.stringify(draft.path).slice(0, 200)}?${draft.query.join('&').slice(0, 200)} ${JSON.stringify(draft.lines).slice(0, 400)} ${draft.body === undefined ? '' : Buffer.from(draft.body).toString('utf8').slice(0, 400)}`;
    assertCivil(response, what);
    const hasKey = draft.lines.some(([line]) => line === 'idempotency-key');
    if (response.status >= 400 && !hasKey && !/^\/auth\//.test(operation.path)) assert.equal(await world.store.revision() - before, prepares, `${what} was refused, and changed something`);
    written += prepares + (response.status < 300 ? 1 : 0);
    keyed += hasKey && response.status < 300 ? 1 : 0;
  }
  assert.equal(world.kit.api.openStreams(), 0);
  assert.deepEqual(world.kit.recorded.filter(({ event }) => event === 'api.error'), []);
  // An order is four objects, and its preparation six.
  const grown = await sizeOf(world) - size;
  assert.ok(grown <= 8 * written, `${grown} objects more after ${written} changes`);
  const kept = (await world.store.list('', { limit: 1_000_000 })).filter(({ key }) => key.includes('idempotency/'));
  assert.ok(kept.length <= keyed, `${kept.length} answers are kept of ${keyed} requests`);
  for (const { key, value } of kept) assert.ok(isPlainObject(value) && value['state'] !== 'begun', `${key} was begun and never ended`);
  assert.equal(({} as Record<string, unknown>)['admin'], undefined, 'nothing has got into every object');
  assert.equal((await send(world.kit.api, '/health')).status, 200);
}

async function exchange({ kit }: World, { method, path, query, body, lines }: Draft): Promise<HttpResponse> {
  const control = new AbortController();
  const request: HttpRequest = {
    method, target: path + (query.length === 0 ? '' : `?${query.join('&')}`), headers: lines, address: '127.0.0.1', port, secure: false, hasBody: body !== undefined, signal: control.signal,
    readBody: async (limit) => (body !== undefined && body.length > limit ? Promise.reject(new LokiError('request.large', { attempted: 'read the body', found: 'it is too long' })) : body ?? new Uint8Array()),
  };
  const response = await kit.api.answer(request);
  control.abort();
  for await (const part of response.stream ?? []) assert.ok(part.length > 0);
  return response;
}
