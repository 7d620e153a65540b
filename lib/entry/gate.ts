/** `loki-enterprise/gate`: judge and record actions from inside another program. */
import type { Action } from '../base/action.ts';
import type { ActionOutcome, GateReply } from '../gate/reply.ts';
import { openGate as openAppGate } from '../app/gate.ts';
import { openInstallation } from '../app/installation.ts';
import { openGateTelemetry } from '../app/telemetry/gate.ts';
import type { SpanContext, Tracer } from '../base/trace.ts';
import { ownSurroundings } from './surroundings.ts';

export interface OpenGateOptions {
  /** The project whose policy and enrolment apply. */
  readonly projectDir: string;
  /** What kind of agent acts; `library` when left out. Recorded as `agent:<type>`. */
  readonly agent?: string;
  readonly sessionId?: string;
  /** How long an action that needs approval may wait for a person; not at all when left out. */
  readonly approvalWaitMs?: number;
  /** Makes the spans of the gate (`loki-enterprise/telemetry`). Left out, they go where LOKI_HOME is set up to send telemetry, if anywhere, when the gate is closed. */
  readonly tracer?: Tracer;
  /** The span that the program is in when it asks. */
  readonly parent?: () => SpanContext | undefined;
}

export interface OpenedGate {
  /** The verdict, recorded before this resolves. Never rejects for an action that can be understood. */
  decide(action: Action): Promise<GateReply>;
  /** Records what became of an action. */
  report(outcome: ActionOutcome): Promise<void>;
  close(): Promise<void>;
}

/** Opens the gate of a project. */
export async function openGate(options: OpenGateOptions): Promise<OpenedGate> {
  const installation = openInstallation(ownSurroundings(), { project: options.projectDir });
  const { agent = 'library', sessionId, tracer, parent } = options;
  const telemetry = await openGateTelemetry(installation, agent, tracer === undefined ? undefined : { tracer, ...(parent === undefined ? {} : { parent }) });
  const gate = openAppGate(installation, { agent, waitMs: options.approvalWaitMs ?? 0, ...(sessionId === undefined ? {} : { sessionId }), ...telemetry.options });
  return {
    ...gate,
    async close() {
      await gate.close();
      await telemetry.end();
    },
  };
}

export type { Action, ActionKind, Decision } from '../base/action.ts';
export type { ActionOutcome, GateReply } from '../gate/reply.ts';
export type { Span, SpanContext, Tracer } from '../base/trace.ts';
export { LokiError } from '../errors.ts';
