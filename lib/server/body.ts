/**
 * Request bodies: JSON in UTF-8 and nothing else, so that no form of another site can be taken for one. Refuses more than
 * 1 MiB where a route does not say otherwise, and nesting over 64 before the parser recurses into it.
 */
import { LokiError } from '../errors.ts';
import type { HttpRequest } from '../base/http.ts';
import type { JsonValue } from '../base/json.ts';

export const longestBody: number = 1024 * 1024;
const deepest = 64;

/** Throws `request.media`, `request.large`, `request.invalid` or `json.invalid`. */
export async function readJsonBody(request: HttpRequest, headers: ReadonlyMap<string, string>): Promise<JsonValue> {
  const text = await readJsonText(request, headers, longestBody);
  if (depthOf(text) > deepest) throw invalid(`it is nested deeper than ${deepest}`);
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    throw invalid('it is not one JSON value');
  }
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

/** Deepest nesting of brackets outside strings. */
function depthOf(text: string): number {
  let depth = 0;
  let greatest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (inString) {
      if (unit === 0x5c) at += 1;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) {
      inString = true;
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      greatest = Math.max(greatest, depth);
    } else if (unit === 0x5d || unit === 0x7d) {
      depth -= 1;
    }
  }
  return greatest;
}

function invalid(found: string): LokiError {
  return new LokiError('json.invalid', { attempted: 'read the body', found });
}
