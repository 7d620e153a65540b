/** Values held against the JSON Schema that the OpenAPI document is written in: the part of it that lib/server/shape.ts uses, read anew. */
import assert from 'node:assert/strict';
import type { HttpResponse } from '../../lib/base/http.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../../lib/base/json.ts';
import { problemMediaType } from '../../lib/formats/problem.ts';

/** Words of a schema that say nothing about what fits. */
const silent: ReadonlySet<string> = new Set(['description', 'examples', 'format', 'title']);

type Rule = (said: JsonValue, value: JsonValue, at: string, document: JsonObject, schema: JsonObject) => readonly string[];

const unless = (fits: boolean, at: string, must: string): readonly string[] => (fits ? [] : [`${at || 'the value'} must ${must}`]);

const rules: Readonly<Record<string, Rule>> = {
  $ref: (said, value, at, document) => misfits(document, resolve(document, String(said)), value, at),
  type: (said, value, at) => unless([said].flat().some((type) => isType(String(type), value)), at, `be ${String(said)}`),
  enum: (said, value, at) => unless(Array.isArray(said) && said.includes(value), at, `be one of ${String(said)}`),
  minLength: (said, value, at) => unless(typeof value !== 'string' || value.length >= Number(said), at, `have ${Number(said)} characters`),
  maxLength: (said, value, at) => unless(typeof value !== 'string' || value.length <= Number(said), at, `have at most ${Number(said)} characters`),
  pattern: (said, value, at) => unless(typeof value !== 'string' || new RegExp(String(said), 'u').test(value), at, `match ${String(said)}`),
  minimum: (said, value, at) => unless(typeof value !== 'number' || value >= Number(said), at, `be ${Number(said)} or more`),
  maximum: (said, value, at) => unless(typeof value !== 'number' || value <= Number(said), at, `be ${Number(said)} or less`),
  maxItems: (said, value, at) => unless(!Array.isArray(value) || value.length <= Number(said), at, `have at most ${Number(said)} items`),
  items: (said, value, at, document) => (Array.isArray(value) ? value.flatMap((item: JsonValue, index) => misfits(document, said as JsonObject, item, `${at}/${index}`)) : []),
  required: (said, value, at) => (isPlainObject(value) ? (said as readonly string[]).filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}/${name} is missing`) : []),
  properties: (said, value, at, document) => (isPlainObject(value) ? Object.entries(said as JsonObject).flatMap(([name, schema]) => (Object.hasOwn(value, name) ? misfits(document, schema as JsonObject, value[name] as JsonValue, `${at}/${name}`) : [])) : []),
  additionalProperties: (said, value, at, _document, schema) => {
    assert.equal(said, false, 'no other form is used');
    return isPlainObject(value) ? Object.keys(value).filter((name) => !Object.hasOwn((schema['properties'] ?? {}) as object, name)).map((name) => `${at}/${name} is not known`) : [];
  },
  anyOf: (said, value, at, document) => unless((said as readonly JsonObject[]).some((schema) => misfits(document, schema, value, at).length === 0), at, 'fit one of several'),
};

function isType(type: string, value: JsonValue): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  return type === 'object' ? isPlainObject(value) : typeof value === type;
}

/** What is wrong with a value. Fails for a word that it does not know: a schema that is not read is not checked. */
export function misfits(document: JsonObject, schema: JsonObject, value: JsonValue, at = ''): readonly string[] {
  return Object.entries(schema).filter(([word]) => !silent.has(word)).flatMap(([word, said]) => {
    const rule = rules[word];
    assert.ok(rule !== undefined, `a schema says "${word}"`);
    return rule(said, value, at, document, schema);
  });
}

/** What a reference leads to. Fails when that is nothing. */
export function resolve(document: JsonObject, reference: string): JsonObject {
  assert.match(reference, /^#\//);
  const found = reference.slice(2).split('/').reduce<unknown>((value, name) => (isPlainObject(value) ? value[name] : undefined), document);
  assert.ok(isPlainObject(found), `${reference} leads to nothing`);
  return found as JsonObject;
}

/** The members of an object, or none. */
export function within(value: JsonValue | undefined, ...names: readonly string[]): JsonObject {
  const found = names.reduce<unknown>((one, name) => (isPlainObject(one) ? one[name] : undefined), value);
  return isPlainObject(found) ? found as JsonObject : {};
}

/** Fails unless the document says that an operation may answer so. */
export function assertDescribed(document: JsonObject, { method, path }: { readonly method: string; readonly path: string }, { status, headers, body }: HttpResponse): void {
  const what = `${method} ${path} ${status}`;
  const operation = within(document['paths'], path.replaceAll(/:([A-Za-z]+)/g, '{$1}'), method.toLowerCase());
  const said = operation['responses'];
  assert.ok(isPlainObject(said), `${what}: the operation is not described`);
  const named = (said as JsonObject)[String(status)] ?? (said as JsonObject)['default'];
  const answer = typeof within(named)['$ref'] === 'string' ? resolve(document, String(within(named)['$ref'])) : within(named);
  const content = within(answer, 'content');
  const type = (headers['Content-Type'] ?? '').split(';')[0] ?? '';
  if (body === undefined) return assert.equal(Object.keys(content).some((media) => media.includes('json')) && status !== 304 && status !== 204 && type === '', false, `${what}: it has no body`);
  const media = Object.keys(content).find((name) => name.split(';')[0] === type);
  assert.ok(media !== undefined || Object.keys(content).length === 0, `${what}: ${type} is none of ${Object.keys(content).join(', ')}`);
  const schema = media === undefined ? undefined : within(content, media)['schema'];
  if (!isPlainObject(schema)) return;
  const value = JSON.parse(Buffer.from(body).toString('utf8')) as JsonValue;
  assert.deepEqual(misfits(document, schema as JsonObject, value), [], `${what}: ${String(body).slice(0, 300)}`);
  if (type === problemMediaType) assert.equal(within(value)['status'], status, what);
}
