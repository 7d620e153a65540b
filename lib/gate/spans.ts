/**
 * The spans of one decision: the action's own, and below it what was done before it was allowed: judged, put to a person, recorded. They hold
 * names, digests, ids and numbers: never the command, path or text that was judged, nor a reason, which may quote it. A tracer may be a caller's
 * own: whatever it throws or gives is no matter of the decision. Loaded only where telemetry is on; the gate knows the type alone.
 */
import { LokiError } from '../errors.ts';
import type { Action, PolicyDecision } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';
import { quietly } from '../base/quietly.ts';
import { noSpan, type Attributes, type Span, type SpanContext, type Tracer } from '../base/trace.ts';
import type { AuditReceipt } from '../audit/entry.ts';
import { attribute, spanNames } from '../telemetry/names.ts';
import { decidingRule, noSpans, type ApprovalReply, type DecisionSpans, type Judgement } from './gate.ts';
import type { GateReply } from './reply.ts';

/** The span of an action, begun and not ended: one that is never ended is never told. */
export interface ActionSpan {
  readonly span: Span;
  /** Whoever hears how an allowed action ended makes its span, under the same ids. */
  readonly endsElsewhere: boolean;
}

/** Where the spans of a gate go. */
export interface GateTracing {
  readonly tracer: Tracer;
  readonly begin: (action: Action, about: JsonObject) => ActionSpan;
  /** Whether it may be told which person decided: not where the log seals that. */
  readonly namesPeople: boolean;
}

/** Gives the gate what makes the spans of its decisions. */
export function gateSpans(tracing: GateTracing): (action: Action, about: JsonObject) => DecisionSpans {
  return (action, about) => quietly(() => new Spans(tracing, action, about)) ?? noSpans;
}

/** What a policy said, for the span of its evaluation and of what was judged. */
export function decisionAttributes({ decision, policy_digest: digest }: Pick<PolicyDecision, 'decision' | 'policy_digest'>, rule: string | undefined): Attributes {
  return { [attribute.decision]: decision, [attribute.rule]: rule, ...(digest === '' ? {} : { [attribute.digest]: digest }) };
}

/** Why an action that is not allowed was not done: the values of `error.type`. */
const notDone = { DENY: 'denied', REQUIRE_APPROVAL: 'approval_required', ALLOW: undefined } as const;

class Spans implements DecisionSpans {
  readonly #tracing: GateTracing;
  readonly #kind: Action['kind'];
  readonly #own: ActionSpan;
  constructor(tracing: GateTracing, action: Action, about: JsonObject) {
    this.#tracing = tracing;
    this.#kind = action.kind;
    this.#own = tracing.begin(action, about);
  }

  judge(work: () => Judgement): Judgement {
    const point = this.#kind === 'prompt' ? 'data' : 'pre_execution';
    const span = this.#child(spanNames.policy, { [attribute.point]: point, [attribute.actionKind]: this.#kind });
    const judgement = work();
    const { decision, actionHash } = judgement;
    quietly(() => {
      const said = { ...decisionAttributes(decision, decidingRule(decision)), ...(actionHash === '' ? {} : { [attribute.actionHash]: actionHash }) };
      this.#own.span.setAttributes(said);
      span.setAttributes(said).end();
    });
    return judgement;
  }

  async wait(work: () => Promise<ApprovalReply>): Promise<ApprovalReply> {
    const span = this.#child(spanNames.approval, {});
    const reply = await ending(span, work);
    // Where the agent asks the person itself, nobody waited here.
    if (reply.outcome !== 'handed') quietly(() => {
      const told = approvalAttributes(reply, this.#tracing.namesPeople);
      this.#own.span.setAttributes(told);
      span.setAttributes(told).end();
    });
    return reply;
  }

  async append(work: (context?: SpanContext) => Promise<AuditReceipt>): Promise<AuditReceipt> {
    const span = this.#child(spanNames.audit, {});
    const receipt = await ending(span, () => work(quietly(() => this.#own.span.context)));
    quietly(() => span.setAttribute(attribute.auditSeq, receipt.seq ?? undefined).end());
    return receipt;
  }

  end(reply: GateReply): void {
    quietly(() => this.#end(reply));
  }

  #end({ decision, allowed, rule, audit_seq: seq, handed }: GateReply): void {
    const { span, endsElsewhere } = this.#own;
    if ((allowed || handed === true) && endsElsewhere) return;
    span.setAttributes({ [attribute.decision]: decision, [attribute.rule]: rule, [attribute.auditSeq]: seq ?? undefined });
    if (!allowed && handed !== true) span.setAttribute(attribute.errorType, notDone[decision]).setStatus('error');
    span.end();
  }

  #child(name: string, attributes: Attributes): Span {
    return quietly(() => this.#tracing.tracer.startSpan(name, { parent: this.#own.span.context, attributes })) ?? noSpan;
  }
}

/** What the work throws ends the span, and is thrown. */
async function ending<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    quietly(() => fail(span, error));
    throw error;
  }
}

/** What a person's answer puts on spans. */
export function approvalAttributes({ id, outcome, decidedBy = [] }: ApprovalReply, namesPeople: boolean): Attributes {
  return {
    ...(id === '' ? {} : { [attribute.approvalId]: id }), [attribute.approvalStatus]: outcome,
    ...(namesPeople && decidedBy.length > 0 ? { [attribute.approver]: decidedBy.join(', ') } : {}),
  };
}

/** Ends a span with the kind of an error; its words may hold anything. */
export function fail(span: Span, error: unknown): void {
  span.setAttribute(attribute.errorType, error instanceof LokiError ? error.code : 'internal').setStatus('error').end();
}
