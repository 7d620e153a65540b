/** JSON that a user wrote for an agent, comments allowed: settings that ours are put beside. */
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import { LokiError } from '../../errors.ts';
import { parseJsonc, valueOf } from '../../formats/jsonc/parse.ts';

/** The object; an empty one where nothing is written. Throws `config.invalid`: what cannot be read must not be lost. */
export function usersObject(text: string | undefined, what: string): JsonObject {
  if (text === undefined || text.trim() === '') return {};
  const value = valueOf(parseJsonc(text, what).root);
  if (isPlainObject(value)) return value as JsonObject;
  throw new LokiError('config.invalid', { attempted: `put our hooks beside what stands in ${what}`, found: 'it is no JSON object', hint: `Correct ${what}` });
}
