/**
 * A recorded action as it can be judged again, or why it cannot: what a decision entry holds is the canonical action, from
 * which secrets and content were taken out, and the surroundings that rules may name. What was not recorded is never guessed.
 */
import { actionKinds, fieldsOfKind, type Action, type Decision, type Violation } from '../../base/action.ts';
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import type { Surroundings } from '../judge.ts';

/** One decision of the log, opened. */
export interface RecordedDecision {
  readonly seq: number;
  readonly timestamp: string;
  readonly actor: string;
  /** `none` where the action named none. */
  readonly sessionId: string;
  /** Undefined where they are encrypted, and cannot be opened. */
  readonly details: JsonObject | undefined;
}

/** What the surroundings of an action are, unless its entry says otherwise. */
const usual = { branch: 'none', phase: 'none', active_agents: 1 } as const;

/** The fields that stand in an entry's `context`. */
export const contextFields: readonly string[] = ['provider', 'branch', 'phase', 'active_agents'];

/** What an entry records of the surroundings: those that rules may name, no member of the entry tells, and are not as usual. */
export function recordedContext({ provider, branch, phase, active_agents }: Surroundings, agent: string): JsonObject {
  return {
    ...(provider === undefined || provider === agent ? {} : { provider }), ...(branch === undefined || branch === usual.branch ? {} : { branch }),
    ...(phase === undefined || phase === usual.phase ? {} : { phase }), ...(active_agents === undefined || active_agents === usual.active_agents ? {} : { active_agents }),
  };
}

/** Why an action is not judged again. */
export type Unjudgeable =
  | 'it is encrypted, and its key is not here' | 'no action is recorded' | 'a part of the action is missing' | 'a secret was taken out of it' | 'it is recorded in part, because of its length' | 'a rule names what was not recorded then';

/** An action with its surroundings. `lacks` are fields of the surroundings that are not known. */
export interface Rejudgeable {
  readonly action: Action;
  readonly surroundings: Surroundings;
  readonly lacks: readonly string[];
  /** Whether there was content, of which only a hash is recorded. */
  readonly hasContent: boolean;
}

/** The action of an entry of the project in `projectDir`. */
export function rejudgeable(recorded: RecordedDecision, projectDir: string, projectId: string): Rejudgeable | Unjudgeable {
  if (recorded.details === undefined) return 'it is encrypted, and its key is not here';
  const { action: form, context } = recorded.details;
  if (!isPlainObject(form)) return 'no action is recorded';
  const action = actionIn(form);
  if (typeof action === 'string') return action;
  const agent = recorded.actor.replace(/^agent:/, '');
  return {
    action: { ...action, session_id: recorded.sessionId },
    surroundings: {
      project_dir: projectDir, actor: recorded.actor, tenant: 'none', project: projectId, session_id: recorded.sessionId, ...usual,
      provider: agent, ...(isPlainObject(context) ? surroundingsIn(context) : {}),
    },
    lacks: isPlainObject(context) ? [] : contextFields,
    hasContent: [form, ...partsOf(form)].some((part) => part['content'] !== undefined),
  };
}

/** A canonical action as one that can be judged, with what the same call did besides. */
function actionIn(form: Readonly<Record<string, unknown>>): Action | Unjudgeable {
  if (form['redacted_sha256'] !== undefined) return 'a secret was taken out of it';
  const kind = actionKinds.find((one) => one === form['kind']);
  if (kind === undefined) return 'no action is recorded';
  const texts: Record<string, string> = {};
  for (const name of texted) {
    const value = form[name];
    if (isPlainObject(value)) return 'it is recorded in part, because of its length';
    if (typeof value === 'string') texts[name] = value;
  }
  if (fieldsOfKind[kind].some((name) => texts[name] === undefined)) return 'a part of the action is missing';
  const also: Action[] = [];
  for (const part of partsOf(form)) {
    const action = actionIn(part);
    if (typeof action === 'string') return action;
    also.push(action);
  }
  return { ...texts, kind, ...(also.length === 0 ? {} : { also }) };
}

function partsOf(form: Readonly<Record<string, unknown>>): readonly Record<string, unknown>[] {
  return Array.isArray(form['also']) ? form['also'].filter(isPlainObject) : [];
}

const texted = ['tool', 'command', 'url', 'mcp_server', 'mcp_tool', 'agent', 'cwd', 'file_path'] as const;

function surroundingsIn(context: Readonly<Record<string, unknown>>): Partial<Surroundings> {
  const { provider, branch, phase, active_agents } = { provider: context['provider'], branch: context['branch'], phase: context['phase'], active_agents: context['active_agents'] };
  return {
    ...(typeof provider === 'string' ? { provider } : {}), ...(typeof branch === 'string' ? { branch } : {}),
    ...(typeof phase === 'string' ? { phase } : {}), ...(typeof active_agents === 'number' ? { active_agents } : {}),
  };
}

/** A decision with the rule that made it. */
export interface Verdict {
  readonly decision: Decision;
  /** Null where nothing was violated. */
  readonly rule: string | null;
  readonly place: string | null;
}

const decisionOf: Readonly<Record<Violation['action'], Decision>> = { allow: 'ALLOW', warn: 'ALLOW', require_approval: 'REQUIRE_APPROVAL', deny: 'DENY' };

type Named = Pick<Violation, 'name' | 'action' | 'place' | 'monitor'>;

/** A decision with the violation that made it; one that none made is the policy's own, such as of a file that cannot be used. */
export function verdictOf({ decision, violations }: { readonly decision: Decision; readonly violations: readonly Named[] }): Verdict {
  const found = decision === 'ALLOW' ? undefined : violations.find(({ action, monitor }) => decisionOf[action] === decision && monitor !== true);
  return { decision, rule: found?.name ?? null, place: found?.place ?? null };
}

function strictest(violations: readonly Named[]): Decision {
  const counting = violations.filter(({ monitor }) => monitor !== true).map(({ action }) => decisionOf[action]);
  return counting.includes('DENY') ? 'DENY' : counting.includes('REQUIRE_APPROVAL') ? 'REQUIRE_APPROVAL' : 'ALLOW';
}

/** What was decided then, people's answers, the search of content and the rules that are `ignored` left aside. */
export function recordedVerdict({ details }: RecordedDecision, ignored: (rule: string) => boolean): Verdict {
  const violations = details?.['violations'];
  const found: readonly unknown[] = Array.isArray(violations) ? violations : [];
  const counted = found.flatMap((one): readonly Named[] => {
    if (!isPlainObject(one) || one['findings'] !== undefined) return [];
    const { name, action, place, monitor } = { name: one['name'], action: one['action'], place: one['place'], monitor: one['monitor'] };
    if (typeof name !== 'string' || typeof place !== 'string' || !isAction(action) || ignored(name)) return [];
    return [{ name, action, place, ...(monitor === true ? { monitor } : {}) }];
  });
  return verdictOf({ decision: strictest(counted), violations: counted });
}

function isAction(value: unknown): value is Violation['action'] {
  return typeof value === 'string' && Object.hasOwn(decisionOf, value);
}
