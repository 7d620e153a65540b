/**
 * The canonical form of an action: what a decision entry records and what an approval is bound to. Two actions that would
 * do the same have the same form. Secrets are replaced, content stands in it as hash, size and findings only.
 */
import type { Action, Finding } from '../base/action.ts';
import { sha256Hex } from '../base/digest.ts';
import { canonicalJson } from '../base/json.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';

const longestText = 8192;

/** Members sorted. `redact` takes secrets out of a text; `realPath` is where the action's path really is. */
export function canonicalAction(action: Action, redact: (text: string) => string, realPath: string | undefined, findings: readonly Finding[]): JsonObject {
  const hidden: string[] = [];
  const text = (value: string): JsonValue => {
    const clean = redact(value.slice(0, longestText));
    if (clean !== value.slice(0, longestText)) hidden.push(value);
    return value.length > longestText ? { text: clean, bytes: bytesOf(value), sha256: sha256Hex(value) } : clean;
  };
  const members: Record<string, JsonValue> = { kind: action.kind };
  for (const name of ['tool', 'command', 'url', 'mcp_server', 'mcp_tool', 'agent', 'cwd'] as const) {
    const value = action[name];
    if (value !== undefined) members[name] = text(value);
  }
  if (action.file_path !== undefined) members['file_path'] = text(realPath ?? action.file_path);
  // What was taken out still tells two actions apart: an approval of one is none of the other.
  if (hidden.length > 0) members['redacted_sha256'] = sha256Hex(canonicalJson(hidden));
  if (action.content !== undefined) {
    members['content'] = { bytes: bytesOf(action.content), findings: findings.map(({ rule, line, column, fingerprint }) => ({ column, fingerprint, line, rule })), sha256: sha256Hex(action.content) };
  }
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => a < b ? -1 : 1));
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** SHA-256 (hex) of the canonical form: what an approval is bound to. */
export function actionHash(canonical: JsonObject): string {
  return sha256Hex(canonicalJson(canonical));
}
