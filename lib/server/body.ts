/**
 * Request bodies: JSON in UTF-8 and nothing else, so that no form of another site can be taken for one. Refuses more than
 * 1 MiB where a route does not say otherwise, and nesting over 64 before the parser recurses into it.
 */
import { LokiError } from '../errors.ts';
import type { HttpRequest } from '../base/http.ts';
import type { JsonValue } from '../base/json.ts';
import { parseStrictJson } from '../formats/strict-json.ts';

export const longestBody: number = 1024 * 1024;

/** The value of a body. Refuses what two readers could read differently: a member named twice, `__proto__`, half a surrogate pair. Throws `json.invalid`. */
export function parseBody(text: string): JsonValue {
  const value = parseStrictJson(text, 'the body', 'json.invalid') as JsonValue;
  if (/__proto__|\\u005[fF]/.test(text) && namesPrototype(value)) throw invalid('a member is named "__proto__"');
  return value;
}

function namesPrototype(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(namesPrototype);
}

/** The text of a body that says it is JSON, whatever is in it. Throws `request.media`, `request.large` or `json.invalid`. */
export async function readJsonText(request: HttpRequest, headers: ReadonlyMap<string, string>, limit: number): Promise<string> {
  const type = headers.get('content-type') ?? '';
  if (!/^application\/json *(; *charset=("utf-8"|utf-8) *)?$/i.test(type.slice(0, 100))) {
    throw new LokiError('request.media', { attempted: 'read the body', found: `its media type is ${JSON.stringify(type.slice(0, 100))}` });
  }
  if (headers.has('content-encoding')) {
    throw new LokiError('request.media', { attempted: 'read the body', found: 'it is compressed' });
  }
  return decoded(await request.readBody(limit));
}

/** The fields of a form. Throws `request.media`, `request.large`, or `request.invalid` for a field that comes twice. */
export async function readFormFields(request: HttpRequest, headers: ReadonlyMap<string, string>, limit: number): Promise<ReadonlyMap<string, string>> {
  const type = headers.get('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(type.slice(0, 100)) || headers.has('content-encoding')) {
    throw new LokiError('request.media', { attempted: 'read the body', found: `its media type is ${JSON.stringify(type.slice(0, 100))}`, hint: 'Send the body as application/x-www-form-urlencoded' });
  }
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(decoded(await request.readBody(limit)))) {
    if (fields.has(name)) throw new LokiError('request.invalid', { attempted: 'read the body', found: 'a field of the form comes more than once' });
    fields.set(name, value);
  }
  return fields;
}

/** Throws when a request that must not have a body has one. */
export function refuseBody(request: HttpRequest): void {
  if (request.hasBody) throw new LokiError('request.invalid', { attempted: 'read the request', found: `${request.method} here takes no body` });
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('it is not UTF-8');
  }
}

function invalid(found: string): LokiError {
  return new LokiError('json.invalid', { attempted: 'read the body', found });
}
