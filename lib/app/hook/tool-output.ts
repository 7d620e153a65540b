/**
 * What a tool gave, before the model reads it. The data rules of the policy judge it; what they forbid is taken out where the agent lets us
 * put something in its place, and where it does not, the model and the log are told. Only secrets can be taken out word by word; what
 * is forbidden for another reason is hidden whole.
 */
import type { HookAnswer, HookEvent, ToolOutput } from '../../agents/hook.ts';
import { textsOf } from '../../agents/tools.ts';
import type { PolicyDecision } from '../../base/action.ts';
import { violationDetails } from '../../gate/gate.ts';
import type { Policy } from '../../policy/evaluate.ts';
import { scanners } from '../../policy/scan/scanners.ts';
import { entryOf, type HookScene } from './scene.ts';

type ResultEvent = Extract<HookEvent, { readonly does: 'result' }>;

/** Inspects, records what is found, and says what the model gets. */
export async function inspectOutput(scene: HookScene, event: ResultEvent, policy: Policy): Promise<HookAnswer> {
  const { call: { action, tool, id }, output } = event;
  // What a file tool says of what it wrote was judged when it was written. A tool that nobody knows may have read.
  const onlyWrites = [action, ...(action.also ?? [])].every(({ kind }) => kind === 'fs.write' || kind === 'fs.delete');
  if (output === undefined || output.text === '' || onlyWrites) return { kind: 'allow' };
  const context = scene.trace?.callContext(scene.sessionId, id, event.worker);
  const evaluated = scene.trace?.evaluation('data', context);
  const judged = judgeText(policy, output.text, event);
  evaluated?.(judged);
  if (judged.violations.length === 0) return { kind: 'allow' };
  const { answer, told } = judged.allowed ? { answer: { kind: 'allow' as const }, told: undefined } : withheld(policy, output, judged, event);
  await scene.log.record(entryOf(scene, judged.allowed ? 'policy.warn' : 'policy.deny', {
    point: 'data', direction: 'read', tool, ...(id === undefined ? {} : { call_id: id }), decision: judged.decision, reason: judged.reason, policy_digest: judged.policy_digest,
    ...(told === undefined ? {} : { output: told }),
    violations: judged.violations.map(({ findings, ...violation }) => violationDetails({ ...violation, ...(findings === undefined ? {} : { findings: findings.slice(0, mostFindings) }) })),
  }), context);
  return answer;
}

function judgeText(policy: Policy, content: string, { call: { action, tool } }: ResultEvent): PolicyDecision {
  return policy.evaluate('data', { content, path: action.file_path ?? 'none', tool, direction: 'read' });
}

/** Findings that are told one by one. */
const mostFindings = 20;

/** What the model gets, and what the log says of it. */
interface Withheld {
  readonly answer: HookAnswer;
  readonly told: 'redacted' | 'withheld' | 'could not be changed';
}

/** Redacted where what is left is allowed, else withheld whole. */
function withheld(policy: Policy, output: ToolOutput, judged: PolicyDecision, event: ResultEvent): Withheld {
  const hidden = `loki: the output of ${event.call.tool} was withheld: ${judged.reason}`;
  if (output.rewritten === undefined) return { answer: { kind: 'hide', reason: hidden }, told: 'could not be changed' };
  // Judged is what the model would get: a secret whose parts stand in several texts is in none of them.
  const redacted = output.rewritten((text) => scanners.redact(text));
  if (judgeText(policy, textsOf(redacted), event).allowed) return { answer: { kind: 'replace', output: redacted, note: 'loki: secrets were taken out of this output' }, told: 'redacted' };
  return { answer: { kind: 'replace', output: output.rewritten(() => '[withheld by policy]'), note: hidden }, told: 'withheld' };
}
