/**
 * The spans of what agents do: their calls of tools with the decision on each, their subagents, their sessions. The hooks of one session
 * are processes that never meet, so they agree on ids (`lib/base/trace-ids.ts`): the hook before a call makes what happened before it, the
 * hook after it the span of the call itself. A session that is handed a TRACEPARENT is part of that trace. What an agent says is never told, only how it
 * calls its tools and ids.
 */
import type { Action, PolicyDecision } from '../../base/action.ts';
import { sha256Hex } from '../../base/digest.ts';
import { isId } from '../../base/ids.ts';
import { canonicalJson, isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { quietly } from '../../base/quietly.ts';
import { contextIn } from '../../base/trace-context.ts';
import { spanIdOf, traceIdOf } from '../../base/trace-ids.ts';
import type { Attributes, SpanContext, Tracer } from '../../base/trace.ts';
import type { LoggedEntry } from '../../audit/query.ts';
import { decidingRule, type DecisionSpans } from '../../gate/gate.ts';
import type { ActionOutcome } from '../../gate/reply.ts';
import { decisionAttributes, gateSpans, type ActionSpan } from '../../gate/spans.ts';
import { attribute, providerOfAgent, spanNames } from '../../telemetry/names.ts';
import { sealsEntries } from '../audit/record.ts';
import type { Decided } from '../decided.ts';
import type { Installation } from '../installation.ts';
import { tenantOf } from '../tenancy.ts';
import { wordOf } from './words.ts';

/** Whose actions they are. */
export interface ActionTraceOptions {
  readonly tracer: Tracer;
  /** `claude`, `generic` … */
  readonly agent: string;
  /** What the agent asks about, where that is no call of a tool. */
  readonly doing?: 'prompt' | 'inspect';
  /** The span that the caller is in, whenever it asks; what TRACEPARENT says, when left out. */
  readonly parent?: () => SpanContext | undefined;
  /** The agent tells when its session ends, so that there will be a span for it. */
  readonly tellsOfSessions?: true;
}

/** A subagent, as the agent names it. */
interface Worker {
  readonly id: string;
  readonly type: string;
}

export interface ActionTrace {
  /** Makes the spans of a decision. */
  readonly spansOf: (action: Action, about: JsonObject) => DecisionSpans;
  /** The span that what happens in a session, or in one of its subagents, belongs to. Undefined where none is known or agreed on. */
  contextOf(sessionId: string, worker?: Worker): SpanContext | undefined;
  /** That of a call. */
  callContext(sessionId: string, callId: string | undefined, worker?: Worker): SpanContext | undefined;
  /** An action has ended: makes its span, unless that was made with the decision. Gives the span it is told in. */
  ended(outcome: ActionOutcome, decided: Decided, sessionId: string): SpanContext | undefined;
  /** Begins the evaluation of a policy; what is given is told with what came of it. */
  evaluation(point: 'data' | 'resource', parent: SpanContext | undefined): (decision: PolicyDecision) => void;
  sessionEnded(sessionId: string, startedAt: number | undefined): void;
  workerEnded(sessionId: string, worker: Worker, startedAt: number | undefined): void;
}

export function openActionTrace(installation: Installation, options: ActionTraceOptions): ActionTrace {
  return new Trace(installation, options);
}

/** Where the spans of a session go. */
interface Place {
  readonly traceId: string | undefined;
  readonly parent: SpanContext | undefined;
}

class Trace implements ActionTrace {
  readonly spansOf: ActionTrace['spansOf'];
  readonly #options: ActionTraceOptions;
  readonly #given: () => SpanContext | undefined;
  readonly #common: Attributes;
  readonly #namesPeople: boolean;

  constructor(installation: Installation, options: ActionTraceOptions) {
    const { surroundings: { env }, project } = installation;
    const { agent } = options;
    const runId = env['LOKI_RUN_ID'];
    this.#options = options;
    const handed = contextIn(env);
    this.#given = options.parent ?? (() => handed);
    this.#namesPeople = !sealsEntries(installation);
    this.#common = {
      [attribute.agentType]: agent, [attribute.provider]: providerOfAgent(agent), [attribute.projectId]: project?.id, [attribute.tenantId]: tenantOf(installation) ?? undefined,
      [attribute.runId]: runId !== undefined && isId('run', runId) ? runId : undefined,
    };
    this.spansOf = gateSpans({ tracer: options.tracer, begin: (action, about) => this.#begin(action, about), namesPeople: this.#namesPeople });
  }

  contextOf(sessionId: string, worker?: Worker): SpanContext | undefined {
    return this.#placeOf(sessionId, worker).parent;
  }

  callContext(sessionId: string, callId: string | undefined, worker?: Worker): SpanContext | undefined {
    const { parent } = this.#placeOf(sessionId, worker);
    return parent === undefined || callId === undefined ? parent : { ...parent, spanId: callSpan(parent.traceId, callId) };
  }

  /** What the tracer of a caller throws does not keep the outcome from being recorded. */
  ended(outcome: ActionOutcome, decided: Decided, sessionId: string): SpanContext | undefined {
    return quietly(() => this.#ended(outcome, decided, sessionId));
  }

  #ended(outcome: ActionOutcome, decided: Decided, sessionId: string): SpanContext | undefined {
    const { action, callId, ok, exit, about = {} } = outcome;
    const { entry, marks } = decided;
    const worker = workerIn(about);
    const isUngated = marks['ungated'] === true;
    // Without an id of the call its span was made when it was decided.
    if (callId === undefined && !isUngated) return this.contextOf(sessionId, worker);
    const { parent, traceId } = this.#placeOf(sessionId, worker);
    // A call that was refused has its span, and was made all the same.
    const ids = callId === undefined || traceId === undefined || (entry !== undefined && wasRefused(entry)) ? {} : { spanId: callSpan(traceId, callId) };
    const span = this.#options.tracer.startSpan(spanNames.tool(toolOf(action)), {
      parent, ids: { ...(traceId === undefined ? {} : { traceId }), ...ids },
      ...(entry === undefined ? {} : { startTime: askedAt(entry.timestamp, entry['details']) }),
      attributes: {
        ...this.#callAttributes(action, sessionId, callId, worker), ...(entry === undefined ? {} : this.#decidedAttributes(entry.seq, entry['details'])),
        [attribute.exitCode]: exit, [attribute.ungated]: isUngated ? true : undefined, [attribute.errorType]: ok ? undefined : 'tool_error',
      },
    });
    if (!ok) span.setStatus('error');
    span.end();
    return span.context;
  }

  evaluation(point: 'data' | 'resource', parent: SpanContext | undefined): (decision: PolicyDecision) => void {
    const span = this.#options.tracer.startSpan(spanNames.policy, { parent, attributes: { [attribute.point]: point } });
    return (decision) => span.setAttributes(decisionAttributes(decision, decidingRule(decision))).end();
  }

  sessionEnded(sessionId: string, startedAt: number | undefined): void {
    const { tracer, agent } = this.#options;
    const given = this.#given();
    tracer.startSpan(spanNames.agent(agent, 'session'), {
      ...(given === undefined ? { ids: sessionIds(sessionId) } : { parent: given }), ...(startedAt === undefined ? {} : { startTime: startedAt }),
      attributes: this.#agentAttributes(agent, 'session', sessionId),
    }).end();
  }

  workerEnded(sessionId: string, worker: Worker, startedAt: number | undefined): void {
    const { parent, traceId } = this.#placeOf(sessionId);
    const name = wordOf(worker.type);
    this.#options.tracer.startSpan(spanNames.agent(name, 'run'), {
      parent, ...(traceId === undefined ? {} : { ids: { traceId, spanId: workerSpan(traceId, worker) } }), ...(startedAt === undefined ? {} : { startTime: startedAt }),
      attributes: this.#agentAttributes(name, 'run', sessionId),
    }).end();
  }

  #begin(action: Action, about: JsonObject): ActionSpan {
    const { tracer, agent, doing = action.kind === 'prompt' ? 'prompt' : undefined } = this.#options;
    const sessionId = action.session_id ?? 'none';
    const worker = workerIn(about);
    const { parent, traceId } = this.#placeOf(sessionId, worker);
    const ids = traceId === undefined ? {} : { traceId };
    if (doing !== undefined) {
      const attributes = this.#agentAttributes(agent, doing, sessionId);
      return { span: tracer.startSpan(spanNames.agent(agent, doing), { parent, ids, attributes }), endsElsewhere: false };
    }
    const callId = textIn(about['call_id']);
    const agreed = callId === undefined || traceId === undefined ? {} : { spanId: callSpan(traceId, callId) };
    const span = tracer.startSpan(spanNames.tool(toolOf(action)), { parent, ids: { ...ids, ...agreed }, attributes: this.#callAttributes(action, sessionId, callId, worker) });
    return { span, endsElsewhere: callId !== undefined };
  }

  #placeOf(sessionId: string, worker?: Worker): Place {
    const { tracer, agent, tellsOfSessions } = this.#options;
    const given = this.#given();
    const ids = given !== undefined || sessionId === 'none' ? undefined : sessionIds(sessionId);
    // Begun to learn whether the trace is kept: by ratio, its id says so to every process alike.
    const session = given ?? (ids === undefined || tellsOfSessions !== true ? undefined : tracer.startSpan(spanNames.agent(agent, 'session'), { ids }).context);
    const traceId = session?.traceId ?? ids?.traceId;
    return { traceId, parent: session === undefined || worker === undefined ? session : { ...session, spanId: workerSpan(session.traceId, worker) } };
  }

  #callAttributes(action: Action, sessionId: string, callId: string | undefined, worker: Worker | undefined): Attributes {
    return {
      ...this.#common, ...ofSession(sessionId), [attribute.operation]: 'execute_tool', [attribute.toolName]: toolOf(action), [attribute.toolCallId]: callId === undefined ? undefined : wordOf(callId),
      [attribute.agentName]: worker === undefined ? this.#options.agent : wordOf(worker.type), [attribute.actionKind]: action.kind,
    };
  }

  #agentAttributes(name: string, does: string, sessionId: string): Attributes {
    return { ...this.#common, ...ofSession(sessionId), [attribute.operation]: 'invoke_agent', [attribute.agentName]: name, [attribute.agentAction]: does };
  }

  /** What the decision's entry in the log says. */
  #decidedAttributes(seq: number, details: JsonValue | undefined): Attributes {
    if (!isPlainObject(details)) return { [attribute.auditSeq]: seq };
    const { decision, rule, policy_digest: digest, approval_id: approvalId, decided_by: people, action } = details;
    return {
      [attribute.auditSeq]: seq, [attribute.decision]: textIn(decision), [attribute.rule]: textIn(rule), [attribute.digest]: textIn(digest), [attribute.approvalId]: textIn(approvalId),
      [attribute.approver]: this.#namesPeople && Array.isArray(people) ? people.filter((one) => typeof one === 'string').join(', ') : undefined,
      [attribute.actionHash]: isPlainObject(action) ? sha256Hex(canonicalJson(action)) : undefined,
    };
  }
}

/** The span of a session, and its trace. */
function sessionIds(sessionId: string): { readonly traceId: string; readonly spanId: string } {
  const traceId = traceIdOf(`session:${sessionId}`);
  return { traceId, spanId: spanIdOf(traceId, 'session') };
}

function callSpan(traceId: string, callId: string): string {
  return spanIdOf(traceId, `call:${callId}`);
}

function workerSpan(traceId: string, { id }: Worker): string {
  return spanIdOf(traceId, `worker:${id}`);
}

function ofSession(sessionId: string): Attributes {
  if (sessionId === 'none') return {};
  const word = wordOf(sessionId);
  return { [attribute.conversation]: word, [attribute.sessionId]: word };
}

function toolOf({ tool, kind }: Action): string {
  return tool === undefined ? kind : wordOf(tool);
}

/** When an action was asked about: its entry was made when it was judged, and a person had answered where one was needed. */
function askedAt(recordedAt: string, details: JsonValue | undefined): number {
  const { duration_us: judging, waited_ms: waiting } = isPlainObject(details) ? details : {};
  return Date.parse(recordedAt) - (typeof judging === 'number' ? judging / 1000 : 0) - (typeof waiting === 'number' ? waiting : 0);
}

/** Whether the span of the call was made with its decision. */
function wasRefused({ event, details }: LoggedEntry): boolean {
  return event !== 'policy.allow' && event !== 'policy.warn' && !(isPlainObject(details) && details['asked_at'] === 'agent');
}

function workerIn(about: JsonObject): Worker | undefined {
  const worker = about['worker'];
  if (!isPlainObject(worker)) return undefined;
  const [id, type] = [textIn(worker['id']), textIn(worker['type'])];
  return id === undefined || type === undefined ? undefined : { id, type };
}

function textIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
