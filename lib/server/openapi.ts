/**
 * The OpenAPI 3.1 document (spec.openapis.org/oas/v3.1.0), written from the route table: what it says is what is checked. An
 * operation's id is what clients call it; scopes, who it is for, what it is counted as and what it records stand in
 * `x-loki-` members.
 */
import { errorMeanings } from '../errors.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { problemMediaType } from '../formats/problem.ts';
import type { Route } from './message.ts';
import { idOf } from './query.ts';

/** The document for a table of routes. */
export function openApiDocument(routes: readonly Route[], version: string): JsonObject {
  const components = new Map<string, JsonValue>();
  const paths: Record<string, Record<string, JsonValue>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, (schema) => lifted(schema, components)) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Loki Enterprise control plane', version, description: 'Two presentations of the same objects: /api (v1: bare lists, limit and offset) and /api/v2 (pages with cursors).', license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: { schemas: { ...Object.fromEntries(components), Problem: problemSchema }, responses: { Problem: { description: 'What went wrong (RFC 9457)', content: { [problemMediaType]: { schema: { $ref: '#/components/schemas/Problem' }, example: problemExample } } } }, securitySchemes, headers },
  };
}

/** What clients call an operation. v1 stands beside v2 under a name of its own. */
export function operationId({ operation, version, path }: Pick<Route, 'operation' | 'version' | 'path'>): string {
  return version === 1 && path.startsWith('/api/') ? `v1.${operation}` : operation;
}

function tagOf({ operation }: Route): string {
  return operation.split('.')[0] ?? operation;
}

type Lift = (schema: JsonObject) => JsonValue;

function operationOf(route: Route, lift: Lift): JsonObject {
  const { summary, scope, reach, rate, records, keyed, body } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)];
  return {
    operationId: operationId(route), summary, tags: [tagOf(route)],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: Array.isArray(body.schema['required']), content: { 'application/json': { schema: lift(body.schema), example: exampleOf(body.schema) } } } }),
    responses: responsesOf(route, lift),
    ...(scope === 'none' ? { security: [] } : {}),
    'x-loki-scope': scope, 'x-loki-reach': reach, 'x-loki-rate-class': rate, ...(records.length === 0 ? {} : { 'x-loki-records': records }), ...(keyed === undefined ? {} : { 'x-loki-idempotency-key': true }),
  };
}

function pathParameters({ path, params }: Route): readonly JsonObject[] {
  return [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name = '']) => {
    const kind = params[name];
    return { name, in: 'path', required: true, schema: kind === undefined ? { type: 'string' } : idOf(kind).schema ?? { type: 'string' } };
  });
}

function queryParameters({ query }: Route): readonly JsonObject[] {
  return Object.entries(query).map(([name, { accepts, schema }]) => ({ name, in: 'query', required: false, description: `It must be ${accepts}`, schema: schema ?? { type: 'string' } }));
}

function headerParameters(route: Route): readonly JsonObject[] {
  const { method, keyed, answer } = route;
  const header = (name: string, description: string): JsonObject => ({ name, in: 'header', required: false, description, schema: { type: 'string' } });
  return [
    ...(keyed === undefined ? [] : [header('Idempotency-Key', 'A request that is sent again under the same key happens once; kept for a day')]),
    ...(method === 'PUT' || method === 'DELETE' ? [header('If-Match', 'The ETag of the state that is meant to be changed')] : []),
    ...(hasTag(route) ? [header('If-None-Match', 'The ETag of what the caller has; 304 when it is still that')] : []),
    ...(answer.media === 'text/event-stream' ? [header('Last-Event-ID', 'Goes on after this event')] : []),
  ];
}

function responsesOf(route: Route, lift: Lift): JsonObject {
  const problem = { $ref: '#/components/responses/Problem' };
  const problems = problemStatuses(route).map((status) => [String(status), problem] as const);
  const also = [...route.answer.also ?? [], ...(hasTag(route) ? [{ status: 304, about: 'It is still as If-None-Match says' }] : [])];
  return {
    [String(route.answer.status)]: success(route, lift), ...Object.fromEntries(problems), ...Object.fromEntries(also.map((answer) => [String(answer.status), success({ ...route, answer, paged: false }, lift)])), default: problem,
  };
}

/** Whether it answers one object, with an entity tag. */
function hasTag({ method, path, answer }: Route): boolean {
  return method === 'GET' && path.endsWith('/:id') && answer.shape !== undefined;
}

function success({ answer: { about, shape, media }, paged, version }: Pick<Route, 'answer' | 'paged' | 'version'>, lift: Lift): JsonObject {
  const common = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' }, RateLimit: { $ref: '#/components/headers/RateLimit' } };
  if (shape === undefined) return { description: about, headers: common, ...(media === undefined ? {} : { content: { [media]: {} } }) };
  const item = lift(shape.schema);
  const page: JsonObject = { type: 'object', properties: { data: { type: 'array', items: item }, next_cursor: { type: ['string', 'null'] } }, required: ['data', 'next_cursor'] };
  const schema = !paged ? item : version === 1 ? { type: 'array', items: item } : page;
  const one = exampleOf(shape.schema);
  const example = !paged ? one : version === 1 ? [one] : { data: [one], next_cursor: null };
  return { description: about, headers: common, content: { 'application/json': { schema, example } } };
}

/** Statuses a caller should be ready for, beside the answer. Others come as the `default` says. */
function problemStatuses({ scope, aboutCaller, method, params, body, keyed, rate }: Route): readonly number[] {
  const changes = method !== 'GET';
  return [
    400, ...(scope !== 'none' ? [401, 403] : aboutCaller === true ? [401] : []), ...(Object.keys(params).length > 0 ? [404] : []), ...(changes ? [409] : []), ...(method === 'PUT' || method === 'DELETE' ? [412] : []),
    ...(body === undefined ? [] : [413, 415]), ...(keyed === undefined ? [] : [422]), ...(rate === 'exempt' ? [] : [429]), 503,
  ];
}

/** A schema with every named part of it kept among the components, and referred to. */
function lifted(schema: JsonObject, components: Map<string, JsonValue>): JsonValue {
  const inside = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map(inside);
    return isPlainObject(value) ? lifted(value as JsonObject, components) : value;
  };
  const { title, ...rest } = schema;
  const whole = Object.fromEntries(Object.entries(typeof title === 'string' ? rest : schema).map(([name, value]) => [name, inside(value)]));
  if (typeof title !== 'string') return whole;
  components.set(title, whole);
  return { $ref: `#/components/schemas/${title}` };
}

/** A value that fits a schema of ours. */
export function exampleOf(schema: JsonObject): JsonValue {
  const { examples, enum: known, type, properties, items, pattern, minimum, required } = schema;
  if (Array.isArray(examples) && examples[0] !== undefined) return examples[0];
  if (Array.isArray(known)) return known[0] ?? null;
  const kind = Array.isArray(type) ? type[0] : type;
  if (kind === 'object') return isPlainObject(properties) ? exampleObject(properties as Readonly<Record<string, JsonObject>>, Array.isArray(required) ? required.map(String) : []) : {};
  if (kind === 'array') return isPlainObject(items) ? [exampleOf(items as JsonObject)] : [];
  if (kind === 'integer' || kind === 'number') return typeof minimum === 'number' ? minimum : 1;
  if (kind === 'boolean') return true;
  return pattern === undefined ? 'text' : 'a';
}

/** Required members, and of the others a few that say something. */
function exampleObject(properties: Readonly<Record<string, JsonObject>>, required: readonly string[]): JsonObject {
  const told = Object.entries(properties).filter(([name, schema]) => required.includes(name) || Array.isArray(schema['examples']) || Array.isArray(schema['enum']));
  return Object.fromEntries(told.map(([name, schema]) => [name, exampleOf(schema)]));
}

const problemSchema: JsonObject = {
  type: 'object', required: ['type', 'title', 'status', 'detail', 'code', 'hint', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'urn:loki:problem:CODE' }, title: { type: 'string' }, status: { type: 'integer' }, detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(errorMeanings) }, hint: { type: 'string', description: 'What to do next' }, request_id: { type: 'string' },
    errors: { type: 'array', description: 'Every mistake in the request', items: { type: 'object', required: ['detail'], properties: { detail: { type: 'string' }, pointer: { type: 'string', description: 'RFC 6901' }, line: { type: 'integer', description: 'In the text that the body holds' }, column: { type: 'integer' }, hint: { type: 'string' } } } },
  },
};

const problemExample: JsonObject = {
  type: 'urn:loki:problem:request.invalid', title: 'Request invalid', status: 400, detail: 'Cannot read the body: "title" is missing', code: 'request.invalid', hint: 'See docs/api.md',
  request_id: 'req_01J8Z3T5C6D7E8F9G0H1J2K3M4', errors: [{ detail: '"title" is missing', pointer: '/title' }],
};

const securitySchemes: JsonObject = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A key (loki_…), or a signed token of the identity provider' },
  session: { type: 'apiKey', in: 'cookie', name: '__Host-loki', description: 'A browser\'s session' },
};

const headers: JsonObject = {
  'X-Request-Id': { description: 'What the log of record calls this request', schema: { type: 'string' } },
  RateLimit: { description: 'How the caller stands (draft-ietf-httpapi-ratelimit-headers)', schema: { type: 'string' } },
};
