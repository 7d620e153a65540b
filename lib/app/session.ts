/** A governed session, put together: the runner, its provider, the policy's answers, approvals, and the stores it writes. */
import { LokiError } from '../errors.ts';
import { canonicalJson, type JsonObject } from '../base/json.ts';
import { sha256Hex } from '../base/digest.ts';
import { join, resolveFrom } from '../base/paths.ts';
import type { PolicyDecision } from '../base/action.ts';
import type { SpanContext, Tracer } from '../base/trace.ts';
import { contextIn } from '../base/trace-context.ts';
import { queryLog, type LoggedEntry } from '../audit/query.ts';
import type { ApprovalView as StoredApproval } from '../approvals/approval.ts';
import { scanners } from '../policy/scan/scanners.ts';
import type { Policy } from '../policy/evaluate.ts';
import type { ApprovalAnswer, ApprovalQuestion, ApprovalView, DecisionView, RunDeps, RunOrder, RunOutcome, RunPlace, RunSettings } from '../runs/deps.ts';
import { currentBranch } from '../gate/project.ts';
import { readPrd, type Prd } from '../runs/prd.ts';
import { resumeRun, startRun } from '../runs/runner.ts';
import type { Store, StoreCheck } from '../store/store.ts';
import { termsOf, type GateTerms } from './approval-terms.ts';
import { roomOf } from './agents.ts';
import { openApprovals, type OpenApprovals } from './approvals.ts';
import { assertTrusted, usualDocument } from './beginning.ts';
import { circumstancesOf } from './circumstances.ts';
import { openProjectChain, sealsEntries, type OpenLog } from './audit/record.ts';
import { judgeResource, microUsdOf, openLedger } from './budgets.ts';
import { assertKeyReachesHooks } from './hook-environment.ts';
import { residencyDenial, type ResidencyDenial } from './residency.ts';
import { requireProject, type Installation } from './installation.ts';
import { startForwarding } from './audit/forwarding.ts';
import { startKeeping } from './audit/keeping.ts';
import { openLongLivedRecord } from './audit/long-lived.ts';
import { assertAsEnrolled, createPolicySource, pinnedPolicy } from './policy.ts';
import { openEntries } from './audit/protection.ts';
import { isTrusted, makeProvider } from './provider.ts';
import { openProjectStore } from './store.ts';
import { tellingOf } from './telemetry/entries.ts';
import { openTelemetry, type ProcessTelemetry } from './telemetry/telemetry.ts';
import { tenantOf } from './tenancy.ts';
import { startDelivering } from './webhooks.ts';

/** What a person asked for, beside the configuration. */
export interface SessionOptions {
  /** Who asked: `user:alice`. */
  readonly actor: string;
  /** Aborting stops the session. */
  readonly signal: AbortSignal;
  /** A script for the scripted provider, from the working directory. */
  readonly script?: string;
  readonly narrate?: RunDeps['narrate'];
  /** Told of approvals of this session as they change; `decide` through the room. */
  readonly onApproval?: (view: ApprovalView, room: OpenApprovals['room']) => void;
  /** By a worker: the store that it has open, what keeps the run its own, and the span of the request that ordered it. */
  readonly driven?: { readonly store: Store; readonly fence: () => Promise<StoreCheck>; readonly relinquish: AbortSignal; readonly trace: SpanContext | undefined };
}

const retries = 1;
/** A person who has to be asked gets this long, when no approval gate says otherwise. */
const questionTimeoutMs = 10 * 60_000;

/** Starts a session on a requirements document and drives it to its end. */
export function startSession(installation: Installation, prdPath: string, options: SessionOptions): Promise<RunOutcome> {
  const prd = readPrd(installation.host.disk, resolveFrom(installation.surroundings.cwd, prdPath));
  assertAsEnrolled(installation);
  return withParts(installation, options, (deps, place) => startRun(deps, { ...place, prd, settings: settingsOf(installation), trigger: 'manual', circumstances: circumstancesOf(installation) }));
}

/** Makes a pending run the project's session and drives it to its end. `document`: the one it was ordered with. */
export async function startOrderedSession(installation: Installation, ordered: NonNullable<RunOrder['ordered']>, document: Prd | undefined, options: SessionOptions): Promise<RunOutcome> {
  const { project } = requireProject(installation);
  const prd = document ?? readPrd(installation.host.disk, usualDocument(installation, project.dir));
  assertAsEnrolled(installation);
  assertTrusted(installation);
  const settings = settingsOf(installation);
  return withParts(installation, options, (deps, place) => startRun(deps, { ...place, prd, settings, trigger: ordered.run.trigger, ordered, circumstances: circumstancesOf(installation) }));
}

/** Takes up the session whose process died; of that run and no other, where one is named. */
export function takeUpSession(installation: Installation, options: SessionOptions, runId?: string): Promise<RunOutcome> {
  assertAsEnrolled(installation);
  return withParts(installation, options, (deps, place) => resumeRun(deps, place, runId));
}

/** How a run of this project goes now. */
export function settingsOf({ config: { runs } }: Installation): RunSettings {
  return {
    max_iterations: runs.maxIterations, budget: runs.budget ?? null, branch_protection: runs.branchProtection, retries,
    gates: runs.gates.map(({ name, command, timeoutMs }) => ({ name, command, timeout_ms: timeoutMs })),
    council: { reviewers: runs.council.reviewers, required: runs.council.required },
  };
}

type Work = (deps: RunDeps, place: RunPlace) => Promise<RunOutcome>;

async function withParts(installation: Installation, options: SessionOptions, work: Work): Promise<RunOutcome> {
  assertChainUsable(installation, requireProject(installation).project.dir);
  assertKeyReachesHooks(installation, 'start a session with an encrypted log');
  const telemetry = await openTelemetry(installation, options.driven === undefined ? 'session' : 'worker');
  try {
    return await withLog(installation, options, telemetry, work);
  } finally {
    await telemetry.end();
  }
}

async function withLog(installation: Installation, options: SessionOptions, telemetry: ProcessTelemetry, work: Work): Promise<RunOutcome> {
  const { project } = requireProject(installation);
  const log = await openLongLivedRecord(installation, 'session', tellingOf(installation, telemetry));
  const store = options.driven?.store ?? await openProjectStore(installation, log.record);
  const approvals = await openApprovals(installation, log.record, store);
  const chain = openProjectChain(installation, project, log.record);
  const keeping = startKeeping(installation, log);
  const forwarding = startForwarding(installation, log);
  const delivering = startDelivering(installation, log.record, telemetry.tracer);
  let agent = 'none';
  let refusal: ResidencyDenial | undefined;
  const mark = async (action: 'session_start' | 'session_stop', details: JsonObject): Promise<void> => {
    await chain.append({ action, agent, branch: currentBranch(installation.host.disk, project.dir) ?? null, details });
  };
  try {
    const outcome = await work(runDeps(installation, options, { log, store, approvals, tracer: telemetry.tracer }), {
      project: { id: project.id, dir: project.dir, tenant_id: tenantOf(installation) }, home: installation.home.home, env: installation.surroundings.env,
      // What started a worker has nothing to do with the runs that it drives.
      actor: options.actor, signal: options.signal, ...(options.driven === undefined ? { trace: contextIn(installation.surroundings.env) } : { trace: options.driven.trace, relinquish: options.driven.relinquish }),
      provider(request) {
        const provider = makeProvider(installation, options.script, request, (name, found) => {
          refusal = residencyDenial(request, project.id, name, found);
          throw new LokiError('policy.denied', { attempted: `use the provider "${name}"`, found: refusal.reason, hint: 'Choose another provider with --provider, or change the residency settings' });
        });
        agent = provider.name;
        // The chain of what agents did is told, not asked: a session does not depend on it.
        void mark('session_start', { session_id: request.sessionId, run_id: request.runId, provider: provider.name }).catch(() => undefined);
        return provider;
      },
    });
    await mark('session_stop', { session_id: outcome.session_id, run_id: outcome.run.id, status: outcome.status });
    await log.end(`session ${outcome.status}`);
    return outcome;
  } catch (error) {
    if (refusal !== undefined) await log.record(refusal.event);
    throw error;
  } finally {
    await keeping.stop();
    await delivering.stop();
    await approvals.close();
    await chain.close();
    if (options.driven === undefined) await store.close();
    await log.close();
    await forwarding.stop();
    // What forwarding had to say of its end.
    await log.close();
  }
}

/** A session whose actions could not be put into the agent chain is refused before it begins, not at its first action. */
function assertChainUsable({ host: { disk } }: Installation, dir: string): void {
  disk.ensureDirectory(dir, join(dir, '.loki/logs'), 0o700);
  disk.openRecord(dir, join(dir, '.loki/logs/agent-audit.jsonl'), 0o600).close();
}

interface OpenParts {
  readonly log: OpenLog;
  readonly store: Store;
  readonly approvals: OpenApprovals;
  readonly tracer: Tracer;
}

function runDeps(installation: Installation, options: SessionOptions, { log, store, approvals, tracer }: OpenParts): RunDeps {
  const { host: { clock, timers, random, disk, spawn, facts, lock }, home } = installation;
  const { project } = requireProject(installation);
  const policyOnDisk = createPolicySource(installation);
  // An agent's program may remove the policy while the run goes on: that ends it, and opens nothing.
  const policyNow = (): Policy => pinnedPolicy(installation, policyOnDisk());
  const ledger = openLedger(installation, store);
  return {
    clock, timers, random, disk, spawn, facts, lock, store, record: log.record, tracer, ...(options.driven === undefined ? {} : { fence: options.driven.fence }),
    judgeResource: (context) => judgeResource(installation, ledger, policyNow(), context),
    countUsage: (report) => ledger.count(report),
    microUsdOf: microUsdOf(installation),
    judgeData: (content, path, direction) => Promise.resolve(policyNow().evaluate('data', { content, path: path ?? 'none', tool: 'diff', direction })),
    judgeDeployment: ({ passed_gates, branch }) => Promise.resolve(policyNow().evaluate('pre_deployment', { passed_gates: [...passed_gates], environment: 'development', branch: branch ?? 'none', actor: options.actor, phase: 'VERIFY' })),
    approve: (question) => askPeople({ approvals, isSealed: sealsEntries(installation) }, project.id, termsFor(policyNow(), question), question),
    redact: (text) => scanners.redact(text),
    trusted: isTrusted(installation),
    forgetSession: (sessionId) => roomOf(installation, sessionId).remove(),
    decisionsAfter: (seq, sessionId) => Promise.resolve(decisionsAfter(queryLog(disk, home.audit, { resource: `session:${sessionId}`, after: seq }, { opener: openEntries(installation) }), project.dir)),
    watchApprovals: (sessionId, signal) => watchSession(approvals, project.id, project.dir, sessionId, signal),
    ...(options.narrate === undefined ? {} : { narrate: options.narrate }),
    ...(options.onApproval === undefined ? {} : { onApproval: (view: ApprovalView) => options.onApproval?.(view, approvals.room) }),
  };
}

/** Puts a question of the run itself to people; bound to what is asked, under the policy that asks. */
async function askPeople({ approvals, isSealed }: { readonly approvals: OpenApprovals; readonly isSealed: boolean }, projectId: string, terms: GateTerms, question: ApprovalQuestion): Promise<ApprovalAnswer> {
  const action: JsonObject = { kind: 'other', point: question.point, reason: question.reason };
  const answer = await approvals.room.obtain({
    actionHash: sha256Hex(canonicalJson(action)), policyDigest: question.decision.policy_digest, sessionId: question.session_id, projectId,
    rule: ruleOf(question.decision), reason: question.reason, action, requestedBy: 'agent:runner', ...terms,
  }, terms.timeoutMs, question.signal);
  const { id: approval_id, outcome, reason, decidedBy = [] } = answer;
  return { approved: outcome === 'approved', reason, approval_id, outcome, ...(isSealed ? {} : { decidedBy }) };
}

/** What the policy's approval gates say: those of deployments before one, else those of the phase the run is in. */
function termsFor(policy: Policy, { point, phase }: ApprovalQuestion): GateTerms {
  return (point === 'pre_deployment' ? termsOf(policy.approvalGates('deploy')) : undefined)
    ?? termsOf(policy.approvalGates(phase ?? 'none'))
    ?? { approvers: [], required: 1, timeoutMs: questionTimeoutMs };
}

function ruleOf(decision: PolicyDecision): string {
  return decision.violations.find(({ action, monitor }) => action === 'require_approval' && monitor !== true)?.name ?? 'policy';
}

/** Newest first as read; oldest first as wanted. */
function decisionsAfter(entries: Iterable<LoggedEntry>, projectDir: string): readonly DecisionView[] {
  return [...entries].filter(({ event }) => event.startsWith('policy.')).reverse().map((entry) => decisionView(entry, projectDir)).filter((view) => view !== undefined);
}

/** Paths are told from the project, as people think of them; the log of record has them whole. */
function decisionView(entry: LoggedEntry, projectDir: string): DecisionView | undefined {
  const fromProject = fromDirectory(projectDir);
  const details = objectAt(entry, 'details');
  const action = objectAt(details, 'action');
  const { decision, reason, rule, approval_id, call_id } = details;
  const { kind } = action;
  if (typeof decision !== 'string' || typeof reason !== 'string') return undefined;
  return {
    audit_seq: entry.seq, decision, reason: fromProject(reason), action: fromProject(describeAction(action)),
    ...(typeof rule === 'string' ? { rule } : {}), ...(typeof approval_id === 'string' ? { approval_id } : {}),
    ...(typeof kind === 'string' ? { kind } : {}), ...(typeof call_id === 'string' ? { call_id } : {}),
  };
}

function fromDirectory(dir: string): (text: string) => string {
  return (text) => text.replaceAll(`${dir}/`, '');
}

function objectAt(from: JsonObject, name: string): JsonObject {
  const value = from[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as JsonObject : {};
}

/** A canonical action in a line; a question of the run itself by its point and reason. */
export function describeAction(action: JsonObject): string {
  const { point, reason } = action;
  if (typeof point === 'string' && typeof reason === 'string') return `${point}: ${reason}`.slice(0, 300);
  const what = ['command', 'file_path', 'url', 'mcp_tool', 'agent'].map((name) => action[name]).find((value) => typeof value === 'string');
  return [action['kind'], what].filter((part) => typeof part === 'string').join(' ').slice(0, 300);
}

async function* watchSession(approvals: OpenApprovals, projectId: string, projectDir: string, sessionId: string, signal: AbortSignal): AsyncGenerator<ApprovalView> {
  for await (const view of approvals.room.watchPending(signal, projectId)) {
    if (view.session_id === sessionId) yield approvalView(view, projectDir);
  }
}

function approvalView(view: StoredApproval, projectDir: string): ApprovalView {
  const fromProject = fromDirectory(projectDir);
  return { id: view.id, status: view.status, reason: fromProject(view.reason), action: fromProject(describeAction(view.action)), expires_at: view.expires_at };
}

