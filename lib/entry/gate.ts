/** `loki-enterprise/gate`: judge and record actions from inside another program. */
import type { Action } from '../base/action.ts';
import type { ActionOutcome, GateReply } from '../gate/reply.ts';
import { openGate as openAppGate } from '../app/gate.ts';
import { openInstallation } from '../app/installation.ts';
import { ownSurroundings } from './surroundings.ts';

export interface OpenGateOptions {
  /** The project whose policy and enrolment apply. */
  readonly projectDir: string;
  /** What kind of agent acts; `library` when left out. Recorded as `agent:<type>`. */
  readonly agent?: string;
  readonly sessionId?: string;
  /** How long an action that needs approval may wait for a person; not at all when left out. */
  readonly approvalWaitMs?: number;
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
  return openAppGate(installation, {
    agent: options.agent ?? 'library', waitMs: options.approvalWaitMs ?? 0,
    ...(options.sessionId === undefined ? {} : { sessionId: options.sessionId }),
  });
}

export type { Action, ActionKind, Decision } from '../base/action.ts';
export type { ActionOutcome, GateReply } from '../gate/reply.ts';
export { LokiError } from '../errors.ts';
