/**
 * The shapes of JSON values, declared once: the same row checks what comes in, all mistakes at once with their places (RFC 6901
 * pointers), and is written into the OpenAPI document as JSON Schema. Refuses members that are not declared: a member that
 * is silently left aside is a mistake nobody hears of.
 */
import { LokiError, type Problem } from '../errors.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { idPrefixes, isId, type IdKind } from '../base/ids.ts';
import { didYouMean } from '../base/suggest.ts';

/** A value of type `T`, as JSON. */
export interface Shape<T> {
  /** JSON Schema (2020-12), as OpenAPI 3.1 has it. */
  readonly schema: JsonObject;
  /** What is wrong with a value; nothing when it fits. */
  problems(value: unknown, pointer: string): readonly ShapeProblem[];
  /** Never set: it carries the type. */
  readonly type?: T;
}

export interface ShapeProblem extends Problem {
  readonly pointer: string;
}

/** The value, once it is known to fit. Throws `request.invalid` with every mistake. */
export function fitting<T>(shape: Shape<T>, value: unknown, attempted: string): T {
  const problems = shape.problems(value, '');
  if (problems.length === 0) return value as T;
  const found = problems.slice(0, 5).map(({ message }) => message).join('; ');
  throw new LokiError('request.invalid', { attempted, found: problems.length > 5 ? `${found}; and ${problems.length - 5} more` : found, problems });
}

const mostProblems = 50;

function wrong(pointer: string, must: string, value: unknown, more = ''): readonly ShapeProblem[] {
  return [{ pointer, message: `${placeOf(pointer)} must be ${must}, and is ${told(value)}${more}` }];
}

function placeOf(pointer: string): string {
  return pointer === '' ? 'the body' : `"${pointer.slice(1).replaceAll('/', '.').slice(0, 100)}"`;
}

/** Values may be secrets sent to the wrong place: of texts only the length is told. */
function told(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `a text of ${value.length} character${value.length === 1 ? '' : 's'}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : String(value);
}

export interface TextRules {
  readonly least?: number;
  readonly most: number;
  readonly pattern?: RegExp;
  /** Completes "must be …"; made of the bounds when left out. */
  readonly accepts?: string;
  readonly format?: string;
  readonly example?: string;
  readonly about?: string;
  /** Whether line feeds and tabs may be in it. */
  readonly lines?: true;
}

/** Text without control characters and half surrogate pairs. */
export function text({ least = 1, most, pattern, accepts, format, example, about, lines }: TextRules): Shape<string> {
  const must = accepts ?? `a text of ${least} to ${most} characters`;
  const control = lines === true ? /[\u0000-\u0008\u000b-\u001f\u007f]/ : /[\u0000-\u001f\u007f]/;
  return {
    schema: {
      type: 'string', minLength: least, maxLength: most, ...(pattern === undefined ? {} : { pattern: pattern.source }), ...(format === undefined ? {} : { format }),
      ...(example === undefined ? {} : { examples: [example] }), ...described(about),
    },
    problems(value, pointer) {
      if (typeof value !== 'string' || value.length < least || value.length > most || pattern?.test(value) === false) return wrong(pointer, must, value);
      if (control.test(value) || /\p{Surrogate}/u.test(value)) return [{ pointer, message: `${placeOf(pointer)} holds a control character or half a surrogate pair` }];
      return [];
    },
  };
}

export function choice<const T extends string>(accepted: readonly T[], about?: string): Shape<T> {
  const known: ReadonlySet<unknown> = new Set(accepted);
  return {
    schema: { type: 'string', enum: [...accepted], ...described(about) },
    problems: (value, pointer) => (known.has(value) ? [] : wrong(pointer, `one of ${accepted.join(', ')}`, value, typeof value === 'string' ? didYouMean(value.slice(0, 80), accepted) : '')),
  };
}

export function whole(least: number, most: number, about?: string): Shape<number> {
  return {
    schema: { type: 'integer', minimum: least, maximum: most, ...described(about) },
    problems: (value, pointer) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most ? [] : wrong(pointer, `a whole number from ${least} to ${most}`, value)),
  };
}

export function decimal(about?: string): Shape<number> {
  return {
    schema: { type: 'number', ...described(about) },
    problems: (value, pointer) => (typeof value === 'number' && Number.isFinite(value) ? [] : wrong(pointer, 'a number', value)),
  };
}

export function flag(about?: string): Shape<boolean> {
  return { schema: { type: 'boolean', ...described(about) }, problems: (value, pointer) => (typeof value === 'boolean' ? [] : wrong(pointer, 'true or false', value)) };
}

export function id(kind: IdKind, about?: string): Shape<string> {
  return {
    schema: { type: 'string', pattern: `^${idPrefixes[kind]}[0-7][0-9A-HJKMNP-TV-Z]{25}$`, examples: [`${idPrefixes[kind]}01J8Z3T5C6D7E8F9G0H1J2K3M4`], ...described(about) },
    problems: (value, pointer) => (typeof value === 'string' && isId(kind, value) ? [] : wrong(pointer, `the id of a ${kind}`, value)),
  };
}

/** A time as we write it: UTC, ISO 8601 with milliseconds and `Z`. */
export function moment(about?: string): Shape<string> {
  return {
    schema: { type: 'string', format: 'date-time', examples: ['2026-02-15T14:30:00.000Z'], ...described(about) },
    problems: (value, pointer) => (typeof value === 'string' && isMoment(value) ? [] : wrong(pointer, 'a time as 2026-02-15T14:30:00.000Z', value)),
  };
}

function isMoment(value: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(value) && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString().slice(0, 19) === value.slice(0, 19);
}

export function listOf<T>(each: Shape<T>, most: number, about?: string): Shape<readonly T[]> {
  return {
    schema: { type: 'array', items: each.schema, maxItems: most, ...described(about) },
    problems(value, pointer) {
      if (!Array.isArray(value) || value.length > most) return wrong(pointer, `a list of at most ${most}`, value);
      return value.flatMap((item: unknown, at) => each.problems(item, `${pointer}/${at}`)).slice(0, mostProblems);
    },
  };
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  const { schema } = shape;
  const { type } = schema;
  const known = schema['enum'];
  const open: JsonObject = typeof type !== 'string' ? { anyOf: [schema, { type: 'null' }] } : { ...schema, type: [type, 'null'], ...(Array.isArray(known) ? { enum: [...known, null] } : {}) };
  return { schema: open, problems: (value, pointer) => (value === null ? [] : shape.problems(value, pointer)) };
}

/** Any object of JSON, of at most so many bytes as text. */
export function anyObject(about?: string, mostBytes: number = 1024 * 1024): Shape<JsonObject> {
  return {
    schema: { type: 'object', ...described(about) },
    problems(value, pointer) {
      if (!isPlainObject(value)) return wrong(pointer, 'an object', value);
      return JSON.stringify(value).length > mostBytes ? [{ pointer, message: `${placeOf(pointer)} is larger than ${mostBytes} bytes` }] : [];
    },
  };
}

export function anything(about?: string): Shape<JsonValue> {
  return { schema: { ...described(about) }, problems: () => [] };
}

/** Members by name. Those in the first table must be there; those in the second may be. */
export function record<const R extends Shapes, const O extends Shapes = Record<never, never>>(required: R, optional?: O, about?: string): Shape<RecordOf<R, O>> {
  const members: Shapes = { ...required, ...optional };
  const needed = Object.keys(required);
  const names = Object.keys(members);
  return {
    schema: {
      type: 'object', properties: Object.fromEntries(names.map((name) => [name, members[name]?.schema ?? {}])), ...(needed.length === 0 ? {} : { required: needed }), additionalProperties: false, ...described(about),
    },
    problems(value, pointer) {
      if (!isPlainObject(value)) return wrong(pointer, 'an object', value);
      const given = value as { readonly [name: string]: unknown };
      const unknown = strangersIn(given, members).map((name): ShapeProblem => ({
        pointer: `${pointer}/${escaped(name)}`, message: `${placeOf(pointer)} has a member ${JSON.stringify(name.slice(0, 40))} that is not known${didYouMean(name.slice(0, 80), names) || `; known: ${names.join(', ') || 'none'}`}`,
      }));
      const missing = needed.filter((name) => !Object.hasOwn(given, name)).map((name): ShapeProblem => ({ pointer: `${pointer}/${name}`, message: `${placeOf(`${pointer}/${name}`)} is missing` }));
      const wrongOnes = names.filter((name) => Object.hasOwn(given, name)).flatMap((name) => members[name]?.problems(given[name], `${pointer}/${name}`) ?? []);
      return [...unknown, ...missing, ...wrongOnes].slice(0, mostProblems);
    },
  };
}

/** Names that are not declared, as many as are told: of a body of nothing else, the rest is not worth a look. */
function strangersIn(given: { readonly [name: string]: unknown }, members: Shapes): readonly string[] {
  const found: string[] = [];
  for (const name of Object.keys(given)) {
    if (found.length === mostProblems) break;
    if (!Object.hasOwn(members, name)) found.push(name);
  }
  return found;
}

export type Shapes = Readonly<Record<string, Shape<unknown>>>;
export type TypeOf<S> = S extends Shape<infer T> ? T : never;
export type RecordOf<R extends Shapes, O extends Shapes> =
  { readonly [name in keyof R]: TypeOf<R[name]> } & { readonly [name in keyof O]?: TypeOf<O[name]> };

/** The shape with a name, under which the OpenAPI document keeps it and refers to it. */
export function named<T>(name: string, shape: Shape<T>): Shape<T> {
  return { ...shape, schema: { ...shape.schema, title: name } };
}

function described(about: string | undefined): JsonObject {
  return about === undefined ? {} : { description: about };
}

/** A member's name in a pointer (RFC 6901, section 3). */
function escaped(name: string): string {
  return name.slice(0, 80).replaceAll('~', '~0').replaceAll('/', '~1');
}
