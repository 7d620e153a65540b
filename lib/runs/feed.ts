/**
 * Carries what an agent does into the timeline while it works: its messages, its usage, and the gate's decisions from the
 * log of record. Batched, so that a chatty agent costs one transaction now and then and not one a line.
 */
import type { RunContext } from './context.ts';
import { auditOf } from './context.ts';
import { short, type AgentMessage, type Usage } from './answer.ts';
import type { DecisionView } from './deps.ts';
import type { EventDraft } from './timeline.ts';
import { Meter } from './meter.ts';
import { assertResources } from './resources.ts';
import type { ToolUse } from './provider.ts';
import { RunEnd } from './run-end.ts';
import { ToolWatch } from './tool-watch.ts';
import type { Cancel } from '../ports.ts';

const flushEveryMs = 200;
/** Under the store's bounds of changes and bytes in one transaction, with messages at their longest. */
const mostInOneStep = 60;
/** Calls of tools that are shown of one call of the provider; the decisions about them are there in any case. */
const mostShown = 2000;

export class Feed {
  readonly #context: RunContext;
  readonly #role: string;
  readonly #overspent: () => void;
  readonly #meter: Meter;
  readonly #watch: ToolWatch;
  readonly #stopTimer: Cancel;
  #shown = 0;
  #events: EventDraft[] = [];
  #flushing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** `overspent` is called when the policy forbids going on while the agent still works. */
  constructor(context: RunContext, role: string, overspent: () => void) {
    this.#context = context;
    this.#role = role;
    this.#meter = new Meter(context, role);
    this.#watch = new ToolWatch(context.provider.shows);
    this.#overspent = overspent;
    this.#stopTimer = context.deps.timers.every(flushEveryMs, () => this.#tick());
  }

  use(usage: Usage): void {
    this.#meter.use(usage);
  }

  /** Puts a message in line for the timeline. */
  show(message: AgentMessage): void {
    const event = this.#eventOf(this.#role, message);
    if (event !== undefined) this.#events.push(event);
  }

  /** Holds a call of a tool against the log of record, and shows what came of it. */
  saw(use: ToolUse): void {
    this.#watch.saw(use);
    if (use.state !== 'ended' || this.#shown >= mostShown) return;
    this.#shown += 1;
    this.show({ type: 'action', kind: use.tool, target: use.target, decision: use.acted ? 'ALLOW' : '', reason: use.error, ok: use.ok, audit_seq: null });
  }

  /** Writes what is left; the call has ended. `metered`: it reported usage. Never throws: see `assertAllowed`. */
  async close(metered: boolean): Promise<void> {
    this.#stopTimer();
    await this.#flushing;
    await this.#run({ metered });
  }

  /** Throws what went wrong while the agent worked: a step that could not be written, or a spent budget. */
  assertAllowed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #tick(): void {
    if (this.#flushing !== undefined || this.#failure !== undefined) return;
    this.#flushing = this.#run().finally(() => { this.#flushing = undefined; });
  }

  async #run(ended?: { readonly metered: boolean }): Promise<void> {
    try {
      await this.#flush(ended);
    } catch (error) {
      this.#failure ??= { error };
      this.#overspent();
    }
  }

  async #flush(ended: { readonly metered: boolean } | undefined): Promise<void> {
    const { timeline } = this.#context;
    const sofar = this.#watch.sofar;
    const found = await this.#newDecisions();
    const decisions = found ?? [];
    this.#watch.decided(decisions);
    const events = [...decisions.map(decisionDraft), ...this.#events.splice(0)];
    const used = this.#meter.hasUsage;
    await this.#meter.report(ended);
    for (let at = 0; at < events.length; at += mostInOneStep) {
      const newest = decisions.slice(at, at + mostInOneStep).at(-1)?.audit_seq;
      await timeline.write({
        events: events.slice(at, at + mostInOneStep),
        ...(newest === undefined ? {} : { progress: (before) => ({ ...before, decision_seq: newest }) }),
      });
    }
    // Without a log of record nothing can be held against it; one that cannot be read just now must be readable in the end.
    if (found !== undefined || ended !== undefined) this.#assertAsked(this.#watch.unasked(sofar));
    if (used && !(this.#failure?.error instanceof RunEnd)) await assertResources(this.#context, this.#role, 'after usage');
  }

  #assertAsked(unasked: string | undefined): void {
    if (unasked === undefined || !this.#canCompare) return;
    const { provider, timeline, deps } = this.#context;
    const what = short(deps.redact(unasked));
    const details = { phase: timeline.progress.phase, role: this.#role, cause: 'ungated', action: what };
    throw new RunEnd('ungated', `${provider.name} did "${what}" without asking the gate: its hooks did not run. Settings of the user or of the machine may switch them off`, [
      auditOf(this.#context, 'agent.fail', { actor: `agent:${provider.name}`, resource: `run:${timeline.run.id}`, details }),
    ]);
  }

  /** Whether there is a log of record to hold against. */
  get #canCompare(): boolean {
    const { deps, timeline } = this.#context;
    return deps.decisionsAfter !== undefined && timeline.progress.decision_seq !== null;
  }

  /** What cannot be read just now comes with the next flush: the log has it in any case. Undefined when it could not be read. */
  async #newDecisions(): Promise<readonly DecisionView[] | undefined> {
    const { deps, timeline, sessionId } = this.#context;
    const from = timeline.progress.decision_seq;
    if (deps.decisionsAfter === undefined || from === null) return [];
    try {
      return await deps.decisionsAfter(from, sessionId);
    } catch {
      return undefined;
    }
  }

  #eventOf(role: string, message: AgentMessage): EventDraft | undefined {
    const { redact } = this.#context.deps;
    switch (message.type) {
      case 'usage': return undefined;
      case 'task': return undefined;
      case 'verdict': return undefined;
      case 'log': return { event_type: 'log', details: { role, level: message.level, message: redact(message.message) } };
      case 'action': return {
        event_type: 'agent_action',
        details: {
          role, reported_by: 'agent', kind: message.kind, target: redact(message.target), decision: message.decision,
          reason: redact(message.reason), ok: message.ok, audit_seq: message.audit_seq,
        },
      };
    }
  }
}

function decisionDraft(view: DecisionView): EventDraft {
  const { audit_seq, decision, reason, rule, action, approval_id } = view;
  return {
    event_type: 'policy_decision',
    details: { point: 'pre_execution', decision, action: short(action), reason: short(reason), ...(rule === undefined ? {} : { rule }), ...(approval_id === undefined ? {} : { approval_id }), audit_seq },
  };
}
