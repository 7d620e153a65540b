/**
 * VERIFY: quality gates, then the data policy over everything the run has changed, then the council, then the deployment
 * policy. The council is asked only when gates and data policy have passed: its word could change nothing before that.
 */
import type { JsonObject } from '../base/json.ts';
import { toldContext, type Span } from '../base/trace.ts';
import { traceVariables } from '../base/trace-context.ts';
import { attribute, spanNames } from '../telemetry/names.ts';
import { changesOf, judgeChanges } from './changes.ts';
import { assertNotHalted, auditOf, type PhaseResult, type RunContext } from './context.ts';
import { askCouncil } from './council.ts';
import { settleDecision } from './decisions.ts';
import { allowedEnvironment } from './environment.ts';
import { runGate, type GateResult, type GateSpec } from './gates.ts';
import type { GateSummary, VerdictSummary } from './progress.ts';
import { gateAttributes } from './spans.ts';

/** Characters of one reason for the next round. */
const feedbackLength = 4000;

/** Runs the checks in order and says whether the round is accepted. */
export async function verify(context: RunContext): Promise<PhaseResult> {
  const gates = await runGates(context);
  const changes = await changesOf(context);
  const { refusals } = changes === undefined ? { refusals: [] } : await judgeChanges(context, changes, 'ask a person');
  const problems = [
    ...gates.filter(({ passed }) => !passed).map(({ name, outcome, output }) => `Quality gate "${name}" ${outcome}:\n${output}`),
    ...refusals.map((refusal) => `Data policy: ${refusal}`),
  ];
  if (problems.length > 0) return rejected(gates, [], problems, 'the council was not asked: gates or data policy refused first');
  const verdicts = await askCouncil(context, changes, gates);
  const approvals = verdicts.filter(({ approved }) => approved).length;
  const { required } = context.settings.council;
  if (verdicts.length > 0 && approvals < required) {
    return rejected(gates, verdicts, verdicts.filter(({ approved }) => !approved).map(({ reviewer, reason }) => `Reviewer "${reviewer}" rejected: ${reason}`), `${approvals} of ${required} approvals`);
  }
  const refusal = await deploymentRefusal(context, gates);
  if (refusal !== undefined) return rejected(gates, verdicts, [`Deployment policy: ${refusal}`], refusal);
  return { move: 'approve', step: { progress: (before) => ({ ...before, gates: summaries(gates), council: verdicts, feedback: [] }) } };
}

function rejected(gates: readonly GateResult[], verdicts: readonly VerdictSummary[], problems: readonly string[], why: string): PhaseResult {
  const feedback = problems.map((problem) => (problem.length <= feedbackLength ? problem : `${problem.slice(0, feedbackLength)}…`));
  return {
    move: 'reject', feedback,
    step: {
      events: [{ event_type: 'council', details: { outcome: 'not accepted', reason: why } }],
      progress: (before) => ({ ...before, gates: summaries(gates), council: verdicts, feedback }),
    },
  };
}

function summaries(gates: readonly GateResult[]): readonly GateSummary[] {
  return gates.map(({ name, passed }) => ({ name, passed }));
}

async function runGates(context: RunContext): Promise<readonly GateResult[]> {
  const results: GateResult[] = [];
  for (const gate of context.settings.gates) {
    assertNotHalted(context);
    results.push(await context.trace.within(spanNames.qualityGate(gate.name), { [attribute.gateName]: gate.name }, (span) => runOne(context, gate, span)));
  }
  return results;
}

/** A gate's command may make spans of its own: it is told in which one it runs. */
async function runOne(context: RunContext, gate: GateSpec, span: Span): Promise<GateResult> {
  const { deps, place, timeline, halt } = context;
  const env = { ...allowedEnvironment(place.env), ...traceVariables(toldContext(deps.tracer, span.context)) };
  const result = await runGate(gate, { spawn: deps.spawn, projectDir: place.project.dir, env, redact: deps.redact }, halt.signal);
  span.setAttributes(gateAttributes(result));
  if (!result.passed) span.setAttribute(attribute.errorType, result.cause).setStatus('error', result.outcome);
  assertNotHalted(context);
  const details: JsonObject = { name: gate.name, passed: result.passed, outcome: result.outcome, exit: result.exit, duration_ms: result.durationMs };
  await timeline.write({
    audit: [auditOf(context, result.passed ? 'gate.pass' : 'gate.fail', { resource: `run:${timeline.run.id}`, details: { ...details, iteration: timeline.progress.iteration } })],
    events: [{ event_type: 'quality_gate', details: { ...details, output: result.output } }],
  });
  return result;
}

/** Why the policy does not let the result out; undefined when it does. */
async function deploymentRefusal(context: RunContext, gates: readonly GateResult[]): Promise<string | undefined> {
  const { judgeDeployment } = context.deps;
  if (judgeDeployment === undefined) return undefined;
  const decision = await judgeDeployment({ passed_gates: gates.filter(({ passed }) => passed).map(({ name }) => name), branch: context.timeline.progress.branch, session_id: context.sessionId });
  const { allowed, reason } = await settleDecision(context, 'pre_deployment', 'completion of the run', decision);
  return allowed ? undefined : reason;
}
