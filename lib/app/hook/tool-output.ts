/**
 * What a tool gave, before the model reads it. The data rules of the policy judge it; what they forbid is taken out where the agent lets us
 * put something in its place, and where it does not, the model and the log are told. Only secrets can be taken out word by word; what
 * is forbidden for another reason is hidden whole.
 */
import type { HookAnswer, HookEvent, ToolOutput } from '../../agents/hook.ts';
import { textsOf } from '../../agents/tools.ts';
import type { PolicyDecision } from '../../base/action.ts';
import type { JsonObject } from '../../base/json.ts';
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
  const judged = judgeText(policy, output.text, event);
  if (judged.violations.length === 0) return { kind: 'allow' };
  const answer = judged.allowed ? { kind: 'allow' as const } : withheld(policy, output, judged, event);
  await scene.log.record(entryOf(scene, judged.allowed ? 'policy.warn' : 'policy.deny', {
    point: 'data', direction: 'read', tool, ...(id === undefined ? {} : { call_id: id }), decision: judged.decision, reason: judged.reason, policy_digest: judged.policy_digest,
    ...(judged.allowed ? {} : { output: answer.kind === 'replace' ? 'redacted' : output.rewritten === undefined ? 'could not be changed' : 'hidden' }),
    violations: judged.violations.map(violationDetails),
  }));
  return answer;
}

function judgeText(policy: Policy, content: string, { call: { action, tool } }: ResultEvent): PolicyDecision {
  return policy.evaluate('data', { content, path: action.file_path ?? 'none', tool, direction: 'read' });
}

/** Redacted where what is left is allowed, else hidden. */
function withheld(policy: Policy, output: ToolOutput, judged: PolicyDecision, event: ResultEvent): HookAnswer {
  const hidden = `loki: the output of ${event.call.tool} was withheld: ${judged.reason}`;
  if (output.rewritten === undefined) return { kind: 'hide', reason: hidden };
  // Judged is what the model would get: a secret whose parts stand in several texts is in none of them.
  const redacted = output.rewritten((text) => scanners.redact(text));
  if (judgeText(policy, textsOf(redacted), event).allowed) return { kind: 'replace', output: redacted, note: 'loki: secrets were taken out of this output' };
  return { kind: 'replace', output: output.rewritten(() => '[withheld by policy]'), note: hidden };
}

function violationDetails({ name, action, reason, place, monitor, findings }: PolicyDecision['violations'][number]): JsonObject {
  return { name, action, reason, place, ...(monitor === true ? { monitor } : {}), ...(findings === undefined ? {} : { findings: findings.slice(0, 20).map((finding) => ({ ...finding })) }) };
}
