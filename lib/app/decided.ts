/** The decision behind an outcome: the one it names, else the newest on the same call, else the newest on the same action. */
import type { Action } from '../base/action.ts';
import { canonicalJson, isPlainObject, type JsonObject } from '../base/json.ts';
import { searchLog, type AuditFilter, type LoggedEntry } from '../audit/query.ts';
import type { ActionOutcome } from '../gate/reply.ts';
import { encrypts } from './audit/record.ts';
import type { Installation } from './installation.ts';

/** So many turns of two thousand lines back a decision is looked for: an outcome follows its decision closely. */
const mostTurns = 10;

/** What an outcome's decision says of it. */
export interface Decided {
  /** The `audit_seq` of the decision. */
  readonly ref?: number;
  /** Marks an outcome that no decision allowed: the agent acted without asking, or names another action's decision. */
  readonly marks: JsonObject;
  /** When it was decided, where that is known. */
  readonly time?: number;
  /** The decision itself, where it was found. */
  readonly entry?: LoggedEntry;
}

/** Finds it. `canonicalOf` gives the form that decisions record. */
export async function decisionOf(installation: Installation, outcome: ActionOutcome, sessionId: string, canonicalOf: (action: Action) => JsonObject): Promise<Decided> {
  const { action, ref, callId, search } = outcome;
  if (ref === undefined && search !== true) return { marks: { ungated: true } };
  if (!installation.config.audit.enabled) return { ...(ref === undefined ? {} : { ref }), marks: {} };
  const found = await newest(installation, ...wantedEntry(outcome, sessionId, canonicalOf));
  if (found === 'too far') return { ...(ref === undefined ? {} : { ref }), marks: { ungated: true, because: 'its decision lies too far back' } };
  if (found === undefined) return { ...(ref === undefined ? {} : { ref }), marks: { ungated: true, because: callId === undefined && ref === undefined ? 'nobody asked for this action' : 'there is no such decision' } };
  return { ref: found.seq, marks: marksOf(found, canonicalOf(action)), time: Date.parse(found.timestamp), entry: found };
}

type Test = (entry: LoggedEntry) => boolean;

/** What to look for, and how it is known when it is there. */
function wantedEntry({ action, ref, callId }: ActionOutcome, sessionId: string, canonicalOf: (action: Action) => JsonObject): readonly [AuditFilter, Test] {
  if (ref !== undefined) return [{ after: ref - 1, before: ref + 1 }, () => true];
  const decisions: AuditFilter = { resource: `session:${sessionId}`, event: 'policy.*' };
  if (callId !== undefined) return [{ ...decisions, text: callId }, ({ details }) => isPlainObject(details) && details['call_id'] === callId && isPlainObject(details['action'])];
  const form = canonicalJson(canonicalOf(action));
  return [decisions, ({ details }) => isPlainObject(details) && isPlainObject(details['action']) && canonicalJson(details['action']) === form];
}

async function newest(installation: Installation, filter: AuditFilter, test: Test): Promise<LoggedEntry | 'too far' | undefined> {
  const { host: { disk }, home } = installation;
  const opener = encrypts(installation) ? (await import('./audit/protection.ts')).openEntries(installation) : undefined;
  let turns = 0;
  for (const entry of searchLog(disk, home.audit, filter, opener === undefined ? {} : { opener })) {
    if (entry === undefined) turns += 1;
    if (turns > mostTurns) return 'too far';
    if (entry !== undefined && test(entry)) return entry;
  }
  return undefined;
}

/** What an action is about. Its directory may have changed with it, and its content is told after it in other forms. */
const telling = ['command', 'url', 'mcp_server', 'mcp_tool', 'agent'] as const;

function marksOf({ event, details }: LoggedEntry, done: JsonObject): JsonObject {
  const told = isPlainObject(details) ? details : {};
  const handed = event === 'policy.approval_required' && told['asked_at'] === 'agent';
  if (event !== 'policy.allow' && event !== 'policy.warn' && !handed) return { ungated: true, because: 'its decision was no permission' };
  const decided = isPlainObject(told['action']) ? told['action'] : {};
  if (decided['kind'] !== done['kind']) return { ungated: true, because: 'its decision was about another kind of action' };
  // Another program's hook may have put another input in place of the one that was judged.
  if (telling.some((name) => decided[name] !== done[name])) return { ungated: true, because: 'its decision was about another action' };
  return handed ? { allowed_at: 'agent' } : {};
}
