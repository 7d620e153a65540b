/** `loki policy explain`: a context, an action, or a decision that was recorded. */
import { LokiError } from '../../lib/errors.ts';
import type { PolicyDecision } from '../../lib/base/action.ts';
import { isPlainObject, type JsonObject, type JsonValue } from '../../lib/base/json.ts';
import { parseGenericAction } from '../../lib/agents/generic.ts';
import { createActionJudge } from '../../lib/app/action-judge.ts';
import { recordAccessOnce } from '../../lib/app/audit/reading.ts';
import { createPolicySource } from '../../lib/app/policy.ts';
import { decidingLine, decisionEntry } from '../../lib/app/recorded-decision.ts';
import { enforcementPoints } from '../../lib/policy/fields.ts';
import type { Command, CommandContext } from '../command.ts';
import { explanationLines, factLines } from '../explain-words.ts';
import { actorOf, open } from '../open.ts';
import { printable } from '../output.ts';
import { decisionExit, decisionLines, evaluateExits, evaluateFlags, evaluateHere, readInput } from '../policy-words.ts';

export const command: Command = {
  about: 'Says why: what each rule made of a context or an action, as a tree with the values compared; or why a recorded decision was made.\n\n'
    + 'With --context the policy is asked about one context at one enforcement point. With --action a whole action is judged as the gate would, built-in rules included. '
    + 'Nothing is recorded and nobody is asked. With --seq a decision of the log of record is shown, with the line of the policy that made it.',
  operands: [{ name: 'POINT', summary: 'The enforcement point, for --context', choices: enforcementPoints }],
  flags: [
    ...evaluateFlags,
    { name: 'action', kind: 'text', value: 'FILE', summary: 'An action as JSON, as loki hook generic takes it; - reads standard input' },
    { name: 'seq', kind: 'integer', value: 'N', summary: 'The number of a recorded decision', least: 0, most: Number.MAX_SAFE_INTEGER },
  ],
  examples: [
    ['loki policy explain --seq 41', 'why was this denied?'],
    ['echo \'{"kind":"exec","command":"git push -f"}\' | loki policy explain --action -', 'what would the gate say?'],
    ['loki policy explain pre_execution --context context.json', ''],
  ],
  exits: evaluateExits,
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args } = context;
  const [given, action, seq] = [args.text('context'), args.text('action'), args.number('seq')];
  if ([given, action, seq].filter((value) => value !== undefined).length !== 1) {
    throw new LokiError('usage', { attempted: 'explain', found: 'exactly one of --context, --action and --seq says what', hint: 'For example: loki policy explain --seq 41' });
  }
  if (given === undefined && args.operand('POINT') !== undefined) throw new LokiError('usage', { attempted: 'explain', found: 'POINT goes with --context', hint: 'Leave it out, or give --context FILE' });
  if (seq !== undefined) return explainRecorded(context, seq);
  return tell(context, action === undefined ? (await evaluateHere(context, true)).decision : await judgeAction(context, action));
}

async function judgeAction(context: CommandContext, given: string): Promise<PolicyDecision> {
  const installation = open(context);
  const event = parseGenericAction(await readInput(context, installation, given, 'action'));
  if (event.phase !== 'pre') throw new LokiError('usage', { attempted: 'explain the action', found: 'it has happened already ("phase":"post")', hint: 'Leave out "phase"' });
  return createActionJudge(installation, 'generic', createPolicySource(installation))(event.action, { explain: true }).decision;
}

function tell({ output }: CommandContext, decision: PolicyDecision): number {
  if (output.json) output.value(decision);
  else {
    for (const line of decisionLines(decision, output.out)) output.line(line);
    const lines = explanationLines(decision, output.out);
    if (lines.length > 0) output.line();
    for (const line of lines) output.line(line);
    output.note(`Judged by policy ${decision.policy_digest.slice(0, 16) || 'none'} in ${decision.duration_us} us.`);
  }
  return decisionExit(decision.decision);
}

async function explainRecorded(context: CommandContext, seq: number): Promise<number> {
  const { output } = context;
  const installation = open(context);
  const entry = await decisionEntry(installation, seq);
  await recordAccessOnce(installation, actorOf(installation), 'search', { after: seq - 1, before: seq + 1 }, 1);
  const { details } = entry;
  const decision = decisionIn(details);
  if (output.json) output.value(entry);
  else {
    output.line(`${textOf(details['decision'])}  ${printable(textOf(details['reason']))}`);
    const violations = listOf(details['violations']);
    const rule = textOf(details['rule']);
    const place = textOf(violations.find(({ name }) => name === rule)?.['place']);
    const approval = textOf(details['approval_id']);
    for (const line of factLines([
      ['when', entry.timestamp], ['who', textOf(entry.actor) || undefined], ['action', JSON.stringify(details['action'])],
      ['point', textOf(details['point']) || undefined], ['tool', textOf(details['tool']) || undefined], ['call', textOf(details['call_id']) || undefined], ['output', textOf(details['output']) || undefined], ['rule', rule === '' ? undefined : place === '' ? rule : `${rule} at ${place}`],
      ...violations.flatMap(({ compared }) => listOf(compared).map((one) => ['compared', comparedText(one)] as const)),
      ['approval', approval === '' ? undefined : approval], ['policy', textOf(details['policy_digest']) || undefined], ['took', typeof details['duration_us'] === 'number' ? `${details['duration_us']} us` : undefined],
    ])) output.line(line);
    tellLine(context, installation, details, place);
  }
  return decision === undefined ? 0 : decisionExit(decision);
}

/** The line of the policy, where the policy in force is still the one that decided. */
function tellLine({ output }: CommandContext, installation: ReturnType<typeof open>, details: JsonObject, place: string): void {
  if (place === '' || place === 'built in' || place === 'gate') return;
  const line = decidingLine(installation, createPolicySource(installation)(), details['policy_digest'], place);
  if (line === undefined) return output.note('The policy in force is not the one that decided, so its line is not shown.');
  output.line();
  output.line(printable(place));
  for (const part of line.split('\n')) output.line(`  ${part}`);
}

function decisionIn(details: JsonObject): PolicyDecision['decision'] | undefined {
  const { decision } = { decision: details['decision'] };
  return decision === 'ALLOW' || decision === 'DENY' || decision === 'REQUIRE_APPROVAL' ? decision : undefined;
}

function comparedText(one: JsonObject): string {
  return `${textOf(one['field'])} ${textOf(one['operator'])} ${JSON.stringify(one['with'])}: it is ${JSON.stringify(one['value'])}`;
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item): item is JsonObject => isPlainObject(item)) : [];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
