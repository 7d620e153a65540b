/**
 * What a run is given: ports to the world, the functions it needs of other rooms, and what a person asked for. A run
 * knows no policy engine, no log and no approval store; it calls these.
 */
import type { Host } from '../ports.ts';
import type { SpanContext, Tracer } from '../base/trace.ts';
import type { JsonObject } from '../base/json.ts';
import type { PolicyDecision } from '../base/action.ts';
import type { UsageReport } from '../budgets/usage.ts';
import type { Recorder } from '../audit/entry.ts';
import type { Store, StoreCheck } from '../store/store.ts';
import type { Phase, Run, RunEvent, RunTrigger } from './run.ts';
import type { Usage } from './answer.ts';
import type { GateSpec } from './gates.ts';
import type { Prd } from './prd.ts';
import type { Provider } from './provider.ts';
import type { Environment } from './environment.ts';

/** What the resource point of the policy is asked. */
export interface ResourceContext {
  readonly provider: string;
  readonly model?: string;
  readonly region?: string;
  readonly tokens_consumed: number;
  readonly cost_usd: number;
  readonly agent: string;
  readonly project: string;
  readonly session_id: string;
}

/** Something about a budget that people are told. */
export interface BudgetTelling {
  readonly event: 'budget.alert' | 'budget.exceeded';
  readonly details: JsonObject;
  /** In a line. */
  readonly message: string;
}

/** The answer for resources. */
export interface ResourceJudgement {
  readonly decision: PolicyDecision;
  /** What is to be told of budgets; nobody else tells it. */
  readonly tellings: readonly BudgetTelling[];
  /** To be called when all of that has been recorded. */
  told(): Promise<void>;
  /** The rules among those violated that are budgets. */
  readonly budgets: readonly string[];
  /** To be called when a person has allowed what the decision asks for: its budgets are raised. */
  allow(): Promise<void>;
}

/** Something that only a person may allow. */
export interface ApprovalQuestion {
  readonly point: 'resource' | 'data' | 'pre_deployment';
  /** The phase the run is in. */
  readonly phase: Phase | null;
  readonly reason: string;
  readonly decision: PolicyDecision;
  readonly session_id: string;
  readonly run_id: string;
  readonly signal: AbortSignal;
}

/** A person's answer. No answer in time is a no. */
export interface ApprovalAnswer {
  readonly approved: boolean;
  readonly reason: string;
  readonly approval_id?: string;
  readonly outcome?: 'approved' | 'rejected' | 'expired' | 'pending';
  /** The people whose word that is, as audit actors, where they may be told of. */
  readonly decidedBy?: readonly string[];
}

/** An approval of this session as the timeline shows it, whenever its status changes. */
export interface ApprovalView {
  readonly id: string;
  readonly status: string;
  readonly reason: string;
  /** What is asked to be allowed, in a line. */
  readonly action: string;
  readonly expires_at?: string;
}

/** A decision of the gate as the log of record has it. */
export interface DecisionView {
  readonly audit_seq: number;
  readonly decision: string;
  readonly reason: string;
  readonly rule?: string;
  /** `fs.write src/x.js`, redacted. */
  readonly action: string;
  readonly approval_id?: string;
  /** `exec`, `fs.write`, `prompt` … */
  readonly kind?: string;
  /** The agent's id of the call it was asked about. */
  readonly call_id?: string;
}

export interface RunDeps extends Pick<Host, 'clock' | 'timers' | 'random' | 'disk' | 'spawn' | 'facts' | 'lock'> {
  readonly store: Store;
  readonly record: Recorder;
  /** Follows the run, and is asked for nothing. */
  readonly tracer: Tracer;

  /** What must hold in the store for this process to write of the run; see `Timeline`. Left out: it drives a run that nobody else takes. */
  readonly fence?: () => Promise<StoreCheck>;

  readonly judgeResource: (context: ResourceContext) => Promise<ResourceJudgement>;
  /** `path` is relative to the project where there is one. */
  readonly judgeData: (content: string, path: string | undefined, direction: 'write' | 'prompt') => Promise<PolicyDecision>;
  /** Asked before a run completes. Left out: nothing is deployed by completing. */
  readonly judgeDeployment?: (context: { readonly passed_gates: readonly string[]; readonly branch: string | null; readonly session_id: string }) => Promise<PolicyDecision>;
  /** Puts a question to a person and waits. Left out: nobody can be asked, and the answer is no. */
  readonly approve?: (question: ApprovalQuestion) => Promise<ApprovalAnswer>;
  /** Takes secrets out of text that is kept. */
  readonly redact: (text: string) => string;
  /** Whether a person has confirmed a command that the project's own configuration names. */
  readonly trusted: (command: string) => boolean;
  /** Millionths of a US dollar for one report of usage; what no price is known for counts nothing. */
  readonly microUsdOf?: (usage: Usage) => number;
  /** Adds usage to the budgets. Durable when it resolves; the same report counts once. Left out: nobody counts. */
  readonly countUsage?: (report: UsageReport) => Promise<void>;

  /** Takes away what a provider of a session whose process died had put down. */
  readonly forgetSession?: (sessionId: string) => void;
  /** Each timeline event once it is durable. */
  readonly narrate?: (event: RunEvent, run: Run) => void;
  /** Decisions of this session that the log of record has after an entry, oldest first. */
  readonly decisionsAfter?: (auditSeq: number, sessionId: string) => Promise<readonly DecisionView[]>;
  /** Approvals of this session as they change, until the signal aborts. */
  readonly watchApprovals?: (sessionId: string, signal: AbortSignal) => AsyncIterable<ApprovalView>;
  /** Told of each such change, for whoever sits at the terminal. */
  readonly onApproval?: (view: ApprovalView) => void;
}

/** Who has to agree that a run is complete. No reviewers: the gates alone decide. */
export type CouncilSpec = { readonly reviewers: readonly string[]; readonly required: number };

/** How a run is to go; kept in the run, so that a process that takes it up goes on the same way. */
export type RunSettings = {
  readonly max_iterations: number;
  /** Tokens, input and output together; null for no bound of the run's own. */
  readonly budget: number | null;
  readonly gates: readonly GateSpec[];
  readonly council: CouncilSpec;
  readonly branch_protection: boolean;
  /** Further tries after a provider call that failed. */
  readonly retries: number;
};

/** The project a run works in. */
export interface RunProject {
  readonly id: string;
  /** Its real path. */
  readonly dir: string;
  readonly tenant_id: string | null;
}

/** What a provider is made for. `began`: the provider a run that is taken up began with; null for a new run. */
export interface ProviderRequest {
  readonly sessionId: string;
  readonly runId: string;
  readonly prd: Prd;
  readonly began: { readonly name: string; readonly kept: JsonObject } | null;
}

/** What `startRun` and `resumeRun` have in common. */
export interface RunPlace {
  readonly project: RunProject;
  /** LOKI_HOME; its `run` directory exists. */
  readonly home: string;
  /** Our own environment, of which children get an allow-listed part. */
  readonly env: Environment;
  /** Who asked, as an audit actor. */
  readonly actor: string;
  /** The provider for a session: its environment carries the session's ids (`agentEnvironment`). */
  readonly provider: (about: ProviderRequest) => Provider;
  /** The span of whoever asks. */
  readonly trace?: SpanContext | undefined;
  /** Aborting stops the run as `loki stop` does (Ctrl-C). */
  readonly signal: AbortSignal;
  /** Aborting lets go of the run: its agent is ended, and it is left as if this process had died, for another to take up. */
  readonly relinquish?: AbortSignal;
}

/** What a new run is made from. */
export interface RunOrder extends RunPlace {
  readonly prd: Prd;
  readonly settings: RunSettings;
  readonly trigger: RunTrigger;
  readonly parent_run_id?: string;
  /** The pending run that was ordered, and its revision in the store: it becomes this one. */
  readonly ordered?: { readonly run: Run; readonly revision: number };
  /** What the run began with beside its settings, for whoever repeats it: digests, programs, prices. */
  readonly circumstances?: (provider: string) => JsonObject;
}

/** How a run ended. */
export interface RunOutcome {
  readonly run: Run;
  readonly session_id: string;
  readonly status: 'completed' | 'failed' | 'cancelled';
  /** In words. */
  readonly reason: string;
}
