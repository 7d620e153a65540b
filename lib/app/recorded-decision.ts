/** A decision as the log of record has it, and the line of the policy that made it, where the policy is still the same. */
import { LokiError } from '../errors.ts';
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { excerptAt } from '../formats/excerpt.ts';
import type { LoggedEntry } from '../audit/query.ts';
import type { Policy } from '../policy/evaluate.ts';
import { openReading } from './audit/reading.ts';
import type { Installation } from './installation.ts';
import { readLayers } from './policy.ts';

/** The decision entry with this number. Throws `not_found` where there is none, and `usage` for an entry of another kind. */
export async function decisionEntry(installation: Installation, seq: number): Promise<LoggedEntry & { readonly details: JsonObject }> {
  const attempted = `explain the decision ${seq}`;
  const reading = await openReading(installation);
  for (const hit of reading.search({ after: seq - 1, before: seq + 1 })) {
    if (hit === undefined) await installation.host.timers.yield();
    else if (!hit.entry.event.startsWith('policy.') || !isPlainObject(hit.entry['details'])) {
      throw new LokiError('usage', { attempted, found: `entry ${seq} is ${hit.entry.event}, and no decision`, hint: 'Find decisions with: loki enterprise audit search --event \'policy.*\'' });
    } else return { ...hit.entry, details: hit.entry['details'] };
  }
  throw new LokiError('not_found', { attempted, found: `the log has no entry ${seq}`, hint: 'Find decisions with: loki enterprise audit search --event \'policy.*\'' });
}

/** The line at `file:line:column` with a caret; undefined when the policy in force is not the one that decided. */
export function decidingLine(installation: Installation, policy: Policy, digest: unknown, place: string): string | undefined {
  const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(place) ?? [];
  if (policy.digest !== digest || file === undefined) return undefined;
  const layer = readLayers(installation).find(({ filename }) => filename === file);
  return layer === undefined || !('text' in layer) ? undefined : excerptAt(layer.text, Number(line), Number(column));
}
