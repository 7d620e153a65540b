/** What the commands about policies share: reading a context, printing a decision. */
import { exitCode, LokiError } from '../lib/errors.ts';
import type { Decision, PolicyDecision } from '../lib/base/action.ts';
import { isPlainObject } from '../lib/base/json.ts';
import { resolveFrom } from '../lib/base/paths.ts';
import { loadLayers, policyOf, readLayers } from '../lib/app/policy.ts';
import { parseYaml } from '../lib/formats/yaml/parse.ts';
import { enforcementPoints } from '../lib/policy/fields.ts';
import type { Installation } from '../lib/app/installation.ts';
import type { CommandContext, Exit, FlagRow, OperandRow } from './command.ts';
import { open } from './open.ts';
import { printable, type Colour, type Look } from './output.ts';

export const evaluateOperands: readonly OperandRow[] = [{ name: 'POINT', summary: 'The enforcement point', required: true, choices: enforcementPoints }];

export const evaluateFlags: readonly FlagRow[] = [
  { name: 'context', kind: 'text', value: 'FILE', summary: 'The context as JSON or YAML; - reads standard input' },
];

export const evaluateExits: readonly Exit[] = [[0, 'allowed'], [3, 'denied'], [5, 'approval needed']];

const exits: Readonly<Record<Decision, number>> = { ALLOW: exitCode.done, DENY: exitCode.denied, REQUIRE_APPROVAL: exitCode.approval };

const colours: Readonly<Record<Decision, Colour>> = { ALLOW: 'green', DENY: 'red', REQUIRE_APPROVAL: 'yellow' };

const largestContext = 8 * 1024 * 1024;
const inputTimeoutMs = 60_000;

/** Asks the policy in force here about one context, and gives the decision with its exit code. */
export async function evaluateHere(context: CommandContext, explain: boolean): Promise<{ readonly decision: PolicyDecision; readonly exit: number }> {
  const { args } = context;
  const given = args.text('context');
  if (given === undefined) throw new LokiError('usage', { attempted: 'evaluate the policy', found: '--context is missing', hint: 'Give the context as a file: --context context.json' });
  const installation = open(context);
  const value = parseYaml(await readInput(context, installation, given, 'context'), { filename: given });
  if (!isPlainObject(value)) throw new LokiError('usage', { attempted: `evaluate the context "${given}"`, found: 'it is no map of fields', hint: 'Write fields and values, such as {"kind": "exec", "command": "ls"}' });
  const decision = policyOf(installation, loadLayers(readLayers(installation))).evaluate(args.operand('POINT') ?? '', value, { explain });
  return { decision, exit: decisionExit(decision.decision) };
}

/** The exit code of a decision. */
export function decisionExit(decision: Decision): number {
  return exits[decision];
}

/** `DENY  the reason`, and below it each violated rule. */
export function decisionLines({ decision, reason, violations }: PolicyDecision, { paint }: Look): readonly string[] {
  return [
    `${paint(colours[decision], decision)}  ${printable(reason)}`,
    ...violations.map(({ name, action, reason: why, place, monitor }) => `  ${printable(name)} (${action}${monitor === true ? ', only watched' : ''}) at ${printable(place)}: ${printable(why)}`),
  ];
}

/** The text of a file, or of standard input for `-`. `what` names it in messages. */
export async function readInput({ terminal }: CommandContext, { host: { disk } }: Installation, given: string, what: string): Promise<string> {
  if (given !== '-') {
    const bytes = disk.read(resolveFrom(terminal.cwd, given), largestContext);
    if (bytes === undefined) throw new LokiError('not_found', { attempted: `read the ${what} "${given}"`, found: 'there is no such file', hint: 'Name a file, or - for standard input' });
    return new TextDecoder().decode(bytes);
  }
  const { bytes, ended } = await terminal.readInput(largestContext, inputTimeoutMs);
  if (ended !== 'end') throw new LokiError('usage', { attempted: `read the ${what}`, found: ended === 'limit' ? `it is longer than ${largestContext} bytes` : 'standard input did not end' });
  return new TextDecoder().decode(bytes);
}
