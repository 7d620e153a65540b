/** What the commands about policies share: which files, reading a context, printing a decision and a test. */
import { exitCode, LokiError, type Problem } from '../lib/errors.ts';
import type { Decision, EnforcementPoint, PolicyDecision } from '../lib/base/action.ts';
import { isPlainObject } from '../lib/base/json.ts';
import { resolveFrom } from '../lib/base/paths.ts';
import type { Installation } from '../lib/app/installation.ts';
import { loadLayers, loadNamedPolicy, pinnedPolicy, policyOf, readLayers } from '../lib/app/policy.ts';
import { parseStrictJson } from '../lib/formats/strict-json.ts';
import { parseYamlNode, valueOf } from '../lib/formats/yaml/parse.ts';
import { limits as yamlLimits } from '../lib/formats/yaml/reader.ts';
import { contextMistakes } from '../lib/policy/context.ts';
import { enforcementPoints, fieldsOfPoint, type Context } from '../lib/policy/fields.ts';
import type { Layer, PolicyFile } from '../lib/policy/rules.ts';
import type { PolicyTestResult } from '../lib/policy/self-test.ts';
import type { CommandContext, Exit, FlagRow, OperandRow } from './command.ts';
import { open } from './open.ts';
import { printable, type Colour, type Look } from './output.ts';

/** The operand of commands that look at the policies in force, or at files that are named. */
export function fileOperand(verb: string): OperandRow {
  return { name: 'FILE', summary: `Policy files to ${verb} instead of those in force`, repeated: true };
}

/** What an organisation's file may say, and a project's may not, is accepted in named files with this. */
export const organisationFlag: FlagRow = { name: 'organisation', kind: 'switch', summary: 'The named files are an organisation\'s: what only those may say is accepted' };

/** The layer that named files are read as. */
export function namedLayer({ args }: CommandContext): Layer {
  return args.on('organisation') ? 'organisation' : 'project';
}

/** The files that were named, or those of all layers. */
export function policyFiles(context: CommandContext, installation: Installation, verb: string): readonly PolicyFile[] {
  const named = context.args.operands('FILE');
  return named.length > 0 ? named.map((name) => loadNamedPolicy(installation, name, `${verb} "${name}"`, namedLayer(context))) : loadLayers(readLayers(installation));
}

/** Throws `policy.invalid` with all of the mistakes where there are some. */
export function refuseProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  // Of several mistakes each has its own hint beside it.
  const hint = (problems.length === 1 ? problems[0]?.hint : undefined) ?? 'Correct what is named above; docs/policy.md describes every field';
  throw new LokiError('policy.invalid', { attempted: 'use the policy', found: `${problems.length} ${problems.length === 1 ? 'mistake' : 'mistakes'}`, hint, problems });
}

/** A test on one line; of one that failed also where it stands, what it waited for and what it got. */
export function testLine({ name, place, passed, because }: PolicyTestResult, { paint }: Look): string {
  return passed ? `${paint('green', 'ok')}      ${printable(name)}` : `${paint('red', 'failed')}  ${printable(name)} (${printable(place)}): ${printable(because)}`;
}

export const evaluateOperands: readonly OperandRow[] = [{ name: 'POINT', summary: 'The enforcement point', required: true, choices: enforcementPoints }];

export const evaluateFlags: readonly FlagRow[] = [
  { name: 'context', kind: 'text', value: 'FILE', summary: 'The context as JSON or YAML; - reads standard input' },
];

export const evaluateExits: readonly Exit[] = [[0, 'allowed'], [2, 'the context cannot be used'], [3, 'denied, also where the policy cannot be used'], [5, 'approval needed']];

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
  const point = enforcementPoints.find((one) => one === args.operand('POINT')) ?? 'pre_execution';
  const value = readContext(await readInput(context, installation, given, 'context'), given === '-' ? 'standard input' : given, point);
  const decision = pinnedPolicy(installation, policyOf(installation, loadLayers(readLayers(installation)))).evaluate(point, value, { explain });
  return { decision, exit: decisionExit(decision.decision) };
}

/** The exit code of a decision. */
export function decisionExit(decision: Decision): number {
  return exits[decision];
}

/** The fields of a context, each known and of its type. Mistakes come with their place, never with the line: it may hold a secret. */
function readContext(text: string, filename: string, point: EnforcementPoint): Context {
  const attempted = `evaluate the context "${filename}"`;
  const node = text.length > yamlLimits.bytes ? undefined : parseYamlNode(text, { filename });
  const value = node === undefined ? parseStrictJson(text, `the context "${filename}"`) : valueOf(node);
  if (!isPlainObject(value)) throw new LokiError('usage', { attempted, found: 'it is no map of fields', hint: 'Write fields and values, such as {"kind": "exec", "command": "ls"}' });
  const problems = contextMistakes(value, point).map(({ field, message }): Problem => {
    const place = node?.kind === 'map' ? node.entries.find(({ key }) => key.text === field)?.key : undefined;
    return { message, file: filename, ...(place === undefined ? {} : { line: place.line, column: place.column }) };
  });
  if (problems.length === 0) return value;
  throw new LokiError('usage', {
    attempted, found: `${problems.length} ${problems.length === 1 ? 'mistake' : 'mistakes'}`, problems, hint: `Fields of ${point}: ${[...fieldsOfPoint[point].keys()].join(', ')}`,
  });
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
