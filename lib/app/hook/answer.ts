/**
 * One hook event of a coding agent, answered: read by the agent's adapter, judged and recorded by the gate, and told. What decides and
 * cannot be read, judged or recorded is a no, in the agent's own way; what only tells stops nobody, whatever goes wrong with it.
 */
import { LokiError, messageOf } from '../../errors.ts';
import { decisive, type AgentAdapter, type HookAnswer, type HookEvent, type HookOutput, type HookSurroundings } from '../../agents/hook.ts';
import { parseStrictJson } from '../../formats/strict-json.ts';
import type { Action } from '../../base/action.ts';
import { isId } from '../../base/ids.ts';
import type { GateReply } from '../../gate/reply.ts';
import { atDeadline } from '../../host/time.ts';
import { openRecord, type OpenLog, type RecordOptions } from '../audit/record.ts';
import { openGate, type GateOptions } from '../gate.ts';
import { openForAgent, type Installation, type Surroundings } from '../installation.ts';
import { createPolicySource, pinnedPolicy, type PolicyMemory } from '../policy.ts';
import type { ActionTrace } from '../telemetry/action-trace.ts';
import type { EntryTelling } from '../telemetry/entries.ts';
import { isTelemetryOn, openTelemetry, type ProcessTelemetry } from '../telemetry/telemetry.ts';
import { activeAgents } from './active-agents.ts';
import { activePlaceOf, tellSession, tellTask, tellWorker } from './lifecycle.ts';
import { aboutOf, entryOf, type HookScene } from './scene.ts';
import { judgeSettings } from './settings.ts';
import { countUsage, refusedSpending } from './spending.ts';
import { inspectOutput } from './tool-output.ts';

/** What becomes of an action that needs a person: `auto` lets the agent ask where it can and the policy leaves it to whoever is there, and waits otherwise. */
export type ApprovalMode = 'auto' | 'wait' | 'ask' | 'deny';

export const approvalModes: readonly ApprovalMode[] = ['auto', 'wait', 'ask', 'deny'];

/** Between the end of waiting and the deadline the answer is recorded and given. */
export const marginMs = 5000;

/** Gives the log of record of an installation. */
export type OpenHookLog = (installation: Installation, options?: Pick<RecordOptions, 'telling'>) => OpenLog;

/** How a hook is answered. */
export interface HookOptions {
  /** `--project`. */
  readonly project?: string;
  readonly approval: ApprovalMode;
  /** An action that needs a person waits at most so long. */
  readonly waitMs: number;
  /** The answer is no when there is none by then: agents let a tool run when its hook takes too long. */
  readonly deadlineMs: number;
  /** The event that the command was installed for. */
  readonly event?: string;
  /** Ends waiting for an approval. */
  readonly signal?: AbortSignal;
  /** Where the process has the log open already. */
  readonly openLog?: OpenHookLog;
  /** What it keeps of the project's policy. */
  readonly policy?: PolicyMemory;
  /** Where the process has telemetry open already. */
  readonly telemetry?: ProcessTelemetry;
}

/** Answers one event, in time. Never throws. */
export function answerHook(adapter: AgentAdapter, input: () => Promise<string>, surroundings: Surroundings, options: HookOptions): Promise<HookOutput> {
  return new Promise((resolve) => {
    const cancel = atDeadline(options.deadlineMs, () => resolve(adapter.refuse(`loki: nothing was decided within ${options.deadlineMs / 1000} s, so this call is not allowed`)));
    void answer(adapter, input, surroundings, options).then(resolve).finally(cancel);
  });
}

async function answer(adapter: AgentAdapter, input: () => Promise<string>, surroundings: Surroundings, options: HookOptions): Promise<HookOutput> {
  const told: HookSurroundings = { env: surroundings.env, ...(options.event === undefined ? {} : { event: options.event }) };
  let event: HookEvent | undefined;
  try {
    event = adapter.parse(parseStrictJson(await input(), 'the hook input'), told);
    return await answerEvent(adapter, event, surroundings, options, told);
  } catch (error) {
    if (event !== undefined && !decisive.has(event.does)) return adapter.render(event, { kind: 'allow' });
    await recordRefusal(adapter, event, error, surroundings, options);
    return adapter.refuse(wordsOf(error));
  }
}

async function answerEvent(adapter: AgentAdapter, event: HookEvent, surroundings: Surroundings, options: HookOptions, told: HookSurroundings): Promise<HookOutput> {
  if (event.does === 'nothing') return adapter.render(event, { kind: 'allow' });
  // Which agent asks is known; what the surroundings say of it is the word of whoever started it.
  const installation = openForAgent({ ...surroundings, env: { ...surroundings.env, LOKI_PROVIDER: adapter.name } }, options.project, event.cwd);
  const session = sessionOf(surroundings, event);
  const telemetry = await telemetryOf(installation, options);
  const trace = telemetry === undefined ? undefined : await traceOf(installation, telemetry, adapter.name, event);
  const log = logOf(installation, options, telemetry === undefined ? undefined : { logger: telemetry.logger, context: trace?.contextOf(session.sessionId, event.worker) });
  try {
    const scene: HookScene = {
      installation, log, agent: adapter.name, ...session, ...(options.policy === undefined ? {} : { policy: options.policy }), ...(trace === undefined ? {} : { trace }),
    };
    const asksNatively = (options.approval === 'auto' || options.approval === 'ask') && adapter.asksNatively(event, told);
    return adapter.render(event, await answerOf(scene, event, {
      asksNatively, waitMs: options.approval === 'ask' || options.approval === 'deny' ? 0 : options.waitMs, ...(options.signal === undefined ? {} : { signal: options.signal }),
    }));
  } finally {
    await log.close();
    if (options.telemetry === undefined) await telemetry?.end();
  }
}

function logOf(installation: Installation, { openLog, deadlineMs }: HookOptions, telling: EntryTelling | undefined): OpenLog {
  const told = telling === undefined ? {} : { telling };
  return openLog?.(installation, told) ?? openRecord(installation, { patienceMs: Math.max(deadlineMs / 2, 1000), ...told });
}

/** Undefined where nobody asked for telemetry: then nothing of it is loaded. */
async function telemetryOf(installation: Installation, { telemetry }: HookOptions): Promise<ProcessTelemetry | undefined> {
  const opened = telemetry ?? (isTelemetryOn(installation.config, installation.surroundings.env) ? await openTelemetry(installation, 'hook') : undefined);
  return opened?.isOn === true ? opened : undefined;
}

async function traceOf(installation: Installation, { tracer }: ProcessTelemetry, agent: string, { does }: HookEvent): Promise<ActionTrace> {
  const { openActionTrace } = await import('../telemetry/action-trace.ts');
  return openActionTrace(installation, { tracer, agent, tellsOfSessions: true, ...(does === 'prompt' || does === 'inspect' ? { doing: does } : {}) });
}

type Waiting = Pick<GateOptions, 'waitMs' | 'asksNatively' | 'signal'>;

async function answerOf(scene: HookScene, event: HookEvent, waiting: Waiting): Promise<HookAnswer> {
  switch (event.does) {
    case 'ask': return verdictOf(await decide(scene, event, event.call.action, waiting));
    // People wait before a prompt: what needs another person is a no here, with the way to ask for it.
    case 'prompt': return judgePrompt(scene, event);
    case 'inspect': return verdictOf(await decide(scene, event, event.action, { waitMs: 0 }));
    case 'settings': return judgeSettings(scene, event);
    case 'result': return tellResult(scene, event);
    case 'session.start': case 'session.stop': await tellSession(scene, event); return allowed;
    case 'spawn': await tellWorker(scene, event); return allowed;
    case 'complete': await tellWorker(scene, event); await countUsage(scene, event, policyOf(scene)); return allowed;
    case 'task.create': case 'task.complete': await tellTask(scene, event); return allowed;
    case 'turn': await countUsage(scene, event, policyOf(scene)); return allowed;
    case 'nothing': return allowed;
  }
}

const allowed: HookAnswer = { kind: 'allow' };

async function decide({ installation, log, agent, sessionId, policy, trace }: HookScene, event: HookEvent, action: Action, waiting: Waiting): Promise<GateReply> {
  const gate = openGate(installation, {
    agent, log, ...waiting, ...(policy === undefined ? {} : { policy }), ...(trace === undefined ? {} : { trace }), ...(sessionId === 'none' ? {} : { sessionId }), activeAgents: () => activeAgents(activePlaceOf(installation), sessionId),
  });
  return gate.decide(action, aboutOf(event));
}

/** Longest reason that is told to a model. */
const longestReason = 4000;

function verdictOf(reply: GateReply): HookAnswer {
  const { decision, allowed: goesAhead, rule, approval_id: approval } = reply;
  const reason = `loki: ${reply.reason}`.slice(0, longestReason);
  // An action that goes ahead has a rule only when that rule warns.
  if (goesAhead && decision === 'ALLOW') return rule === undefined || approval !== undefined ? allowed : { kind: 'allow', note: reason };
  if (reply.handed === true) return { kind: 'ask', reason };
  if (decision !== 'REQUIRE_APPROVAL') return { kind: 'deny', reason };
  return { kind: 'deny', reason: `${reason}. Nothing was done. Once a person has approved it, make exactly the same call again` };
}

async function judgePrompt(scene: HookScene, event: Extract<HookEvent, { readonly does: 'prompt' }>): Promise<HookAnswer> {
  const answer = verdictOf(await decide(scene, event, event.action, { waitMs: 0 }));
  if (answer.kind !== 'allow') return answer;
  const refusal = await refusedSpending(scene, event, policyOf(scene));
  return refusal === undefined ? answer : { kind: 'deny', reason: `loki: ${refusal}` };
}

async function tellResult(scene: HookScene, event: Extract<HookEvent, { readonly does: 'result' }>): Promise<HookAnswer> {
  const { installation, log, agent, sessionId, trace } = scene;
  const answer = await inspectOutput(scene, event, policyOf(scene));
  const { call: { action, id }, outcome } = event;
  const gate = openGate(installation, { agent, log, waitMs: 0, ...(trace === undefined ? {} : { trace }), ...(sessionId === 'none' ? {} : { sessionId }) });
  // What the model may see is settled already; whether this could be told changes nothing of it.
  await gate.report({ action, search: true, ...(id === undefined ? {} : { callId: id }), ...outcome, about: aboutOf(event) }).catch(() => undefined);
  return answer;
}

function policyOf({ installation, policy }: HookScene): ReturnType<typeof pinnedPolicy> {
  return pinnedPolicy(installation, createPolicySource(installation, policy)());
}

/** The session of `loki start` that the surroundings name, else the agent's own. */
function sessionOf({ env }: Surroundings, event: HookEvent): Pick<HookScene, 'sessionId' | 'inRun'> {
  const run = env['LOKI_SESSION_ID'];
  if (run !== undefined && isId('session', run)) return { sessionId: run, inRun: true };
  return { sessionId: (event.sessionId ?? 'none').slice(0, 256), inRun: false };
}

function wordsOf(error: unknown): string {
  return error instanceof LokiError ? `loki: ${error.message}. ${error.hint}` : `loki: Cannot judge this call: ${messageOf(error)}`;
}

/** The answer is no whether or not this can be recorded. */
async function recordRefusal(adapter: AgentAdapter, event: HookEvent | undefined, error: unknown, surroundings: Surroundings, options: HookOptions): Promise<void> {
  try {
    const installation = openForAgent(surroundings, options.project, event?.cwd);
    const telemetry = await telemetryOf(installation, options);
    const log = logOf(installation, options, telemetry === undefined ? undefined : { logger: telemetry.logger });
    const session = event === undefined ? { sessionId: 'none', inRun: false } : sessionOf(surroundings, event);
    const rule = error instanceof LokiError ? error.code : 'internal';
    await log.record(entryOf({ installation, log, agent: adapter.name, ...session }, 'policy.error', { decision: 'DENY', rule, reason: messageOf(error), ...(event === undefined ? {} : { event: event.event }) }));
    await log.close();
    if (options.telemetry === undefined) await telemetry?.end();
  } catch {
    return;
  }
}
