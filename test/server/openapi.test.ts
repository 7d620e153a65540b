/** The OpenAPI document: whole, true to the table, and with examples that would be taken. Whether answers fit it is checked wherever the matrix asks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorMeanings } from '../../lib/errors.ts';
import type { JsonObject, JsonValue } from '../../lib/base/json.ts';
import { isPlainObject } from '../../lib/base/json.ts';
import { timers } from '../../lib/host/time.ts';
import type { Route } from '../../lib/server/message.ts';
import { routeTable } from '../../lib/server/route-table.ts';
import { createStreams } from '../../lib/server/streams.ts';
import { bodyOf, createKit, send } from '../support/api-kit.ts';
import { assertDescribed, misfits, resolve, within } from '../support/schema-check.ts';

const kit = createKit();
const routes: readonly Route[] = routeTable(kit.services, createStreams(timers), () => false);
const document = bodyOf(await send(kit.api, '/openapi.json')) as JsonObject;

/** Every value in a document, with its place. */
function* everything(value: JsonValue, at = ''): Generator<readonly [place: string, value: JsonValue]> {
  yield [at, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value) as [string, JsonValue][]) yield* everything(member, `${at}/${name}`);
}

const operations = Object.entries(within(document['paths'])).flatMap(([path, methods]) => Object.entries(methods as JsonObject).map(([method, operation]) => ({ path, method, operation: operation as JsonObject })));

test('it has every route of the table, once, each under a name of its own', () => {
  assert.deepEqual(operations.map(({ path, method }) => `${method} ${path}`).sort(), routes.map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:([A-Za-z]+)/g, '{$1}')}`).sort());
  const ids = operations.map(({ operation }) => String(operation['operationId']));
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^(?:v1\.)?[a-z]+(?:\.[a-zA-Z]+)+(?:\.[a-z]+)*$/);
  for (const { path, operation } of operations) {
    const named = [...path.matchAll(/\{([A-Za-z]+)\}/g)].map(([, name]) => name);
    const parameters = (operation['parameters'] ?? []) as readonly JsonObject[];
    assert.deepEqual(parameters.filter((one) => one['in'] === 'path').map((one) => one['name']), named, path);
    assert.equal(new Set(parameters.map((one) => `${String(one['in'])} ${String(one['name'])}`)).size, parameters.length, path);
    assert.ok(Object.keys(operation['responses'] as JsonObject).some((status) => /^[23]/.test(status)), path);
  }
});

test('every reference leads somewhere, and nothing that it defines is left over', () => {
  const used = new Set<string>();
  for (const [place, value] of everything(document)) {
    if (!place.endsWith('/$ref')) continue;
    resolve(document, String(value));
    used.add(String(value));
  }
  const defined = ['schemas', 'responses', 'headers'].flatMap((kind) => Object.keys(within(document, 'components', kind)).map((name) => `#/components/${kind}/${name}`));
  assert.deepEqual(defined.filter((name) => !used.has(name)), []);
});

test('every example fits the schema that it stands beside, and the table takes every example of a body', () => {
  let seen = 0;
  for (const [place, value] of everything(document)) {
    if (!isPlainObject(value)) continue;
    const { schema, example, examples } = value as JsonObject;
    if (isPlainObject(schema) && example !== undefined) assert.deepEqual(misfits(document, schema as JsonObject, example), [], `${place}: ${JSON.stringify(example)}`);
    for (const one of Array.isArray(examples) ? examples : []) assert.deepEqual(misfits(document, value as JsonObject, one), [], place);
    seen += (example === undefined ? 0 : 1) + (Array.isArray(examples) ? examples.length : 0);
  }
  assert.ok(seen > 20);
  for (const route of routes) {
    if (route.body === undefined) continue;
    const example = within(document['paths'], route.path.replaceAll(/:([A-Za-z]+)/g, '{$1}'), route.method.toLowerCase(), 'requestBody', 'content', 'application/json')['example'];
    assert.deepEqual(route.body.problems(example, ''), [], `${route.method} ${route.path}`);
  }
});

test('what it says of a problem is what the table of errors says', async () => {
  const schema = within(document, 'components', 'schemas', 'Problem');
  assert.deepEqual(within(schema['properties'], 'code')['enum'], Object.keys(errorMeanings));
  for (const target of ['/api/v2/runs?limit=0', '/api/v2/runs/run_01J8Z3T5C6D7E8F9G0H1J2K3M4', '/nothing']) {
    assert.deepEqual(misfits(document, schema, bodyOf(await send(kit.api, target)) as JsonValue), [], target);
  }
});

test('it is made once, and a client that has it is told so', async () => {
  const first = await send(kit.api, '/openapi.json');
  const { ETag: tag = '' } = first.headers;
  assert.equal((await send(kit.api, '/openapi.json', { headers: { 'if-none-match': tag } })).status, 304);
  assert.equal((await send(kit.api, '/openapi.json')).headers['ETag'], tag);
  assert.equal((await send(createKit({}, { version: '9.9.9' }).api, '/openapi.json', { headers: { 'if-none-match': tag } })).status, 200, 'of another release it is another');
});

test('answers that are neither the usual one nor a problem are described too', async () => {
  const own = createKit();
  own.api.drain();
  for (const path of ['/health', '/health/ready']) assertDescribed(document, { method: 'GET', path }, await send(own.api, path));
  assert.equal((await send(own.api, '/health')).status, 503);
  for (const route of routes.filter(({ method, path, answer }) => method === 'GET' && path.endsWith('/:id') && answer.shape !== undefined)) {
    const said = within(document['paths'], route.path.replaceAll(/:([A-Za-z]+)/g, '{$1}'), 'get', 'responses');
    assert.ok('304' in said, `${route.path}: it takes If-None-Match`);
  }
});
