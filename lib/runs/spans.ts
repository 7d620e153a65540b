/** What stands on the spans of a run, one function each (docs/telemetry.md). Pure: facts in, attributes out. */
import type { Attributes } from '../base/trace.ts';
import type { TokenCounts } from '../budgets/usage.ts';
import { attribute, providerOfAgent } from '../telemetry/names.ts';
import type { RunContext } from './context.ts';
import type { GateResult } from './gates.ts';
import type { CallEnd, CallFailure } from './provider.ts';
import type { Phase, Run } from './run.ts';

/** Of `project`: one process's work on a run. */
export function projectAttributes({ id, project_id, tenant_id, trigger }: Run, sessionId: string, provider: string, attempt: number): Attributes {
  return {
    [attribute.projectId]: project_id, [attribute.runId]: id, [attribute.sessionId]: sessionId, [attribute.tenantId]: tenant_id ?? undefined,
    [attribute.runTrigger]: trigger, [attribute.runAttempt]: attempt, [attribute.agentType]: provider,
  };
}

/** Of `task`, when the round is over: REASON may have made some. The id of a task that is the only one stands by itself too. */
export function taskAttributes({ tasks }: Pick<RunContext, 'tasks'>): Attributes {
  const ids = tasks.map(({ id }) => id);
  return { [attribute.taskId]: ids.length === 1 ? ids[0] : undefined, [attribute.taskIds]: ids };
}

export function roundAttributes({ timeline }: Pick<RunContext, 'timeline'>): Attributes {
  return { [attribute.projectId]: timeline.run.project_id, [attribute.runId]: timeline.run.id, [attribute.iteration]: timeline.progress.iteration };
}

export function phaseAttributes(phase: Phase, iteration: number): Attributes {
  return { [attribute.phase]: phase, [attribute.iteration]: iteration };
}

/** Of a call of the provider: what the agent is asked to do, and the how-manieth try that is. */
export function agentAttributes({ provider, sessionId, timeline }: Pick<RunContext, 'provider' | 'sessionId' | 'timeline'>, phase: Phase, action: string, tries: number): Attributes {
  return {
    [attribute.agentType]: provider.name, [attribute.agentAction]: action, [attribute.agentTry]: tries, ...phaseAttributes(phase, timeline.progress.iteration),
    [attribute.operation]: 'invoke_agent', [attribute.provider]: providerOfAgent(provider.name), [attribute.agentName]: provider.name,
    [attribute.model]: provider.model, [attribute.conversation]: sessionId,
  };
}

/** What cached tokens there were is among the input, as the conventions have it. */
export function usageAttributes({ input, output, cache_read: cacheRead, cache_write: cacheWrite }: TokenCounts): Attributes {
  return {
    [attribute.inputTokens]: input + cacheRead + cacheWrite, [attribute.outputTokens]: output,
    [attribute.cacheReadTokens]: cacheRead === 0 ? undefined : cacheRead, [attribute.cacheWriteTokens]: cacheWrite === 0 ? undefined : cacheWrite,
  };
}

/** `error.type` of a call that brought no answer, and what it is in words of ours: those of the failure may quote the agent. */
const callFailures: Readonly<Record<NonNullable<CallFailure>['cause'], readonly [string, string]>> = {
  'exit': ['exit', 'the agent failed'],
  'signal': ['signal', 'a signal ended the agent'],
  'time-out': ['timeout', 'the agent did not end in time'],
  'too much output': ['too_much_output', 'the agent printed more than is read'],
  'garbage': ['garbage', 'what the agent printed was no answer'],
  'stopped': ['stopped', 'the agent was stopped'],
};

export function callError({ failure }: CallEnd): readonly [string, string] | undefined {
  return failure === null ? undefined : callFailures[failure.cause];
}

export function gateAttributes({ passed, exit }: GateResult): Attributes {
  return { [attribute.gatePassed]: passed, [attribute.gateResult]: passed ? 'pass' : 'fail', [attribute.exitCode]: exit ?? undefined };
}

export function verdictAttributes(approved: boolean): Attributes {
  return { [attribute.verdict]: approved ? 'approve' : 'reject', [attribute.approved]: approved };
}

