/** What commands about agents' hooks have in common: their flags, the plan as people read it, and the question. */
import { exitCode, LokiError } from '../lib/errors.ts';
import type { AgentName } from '../lib/agents/hook.ts';
import { agentNames, agentSigns, scopes, type Scope } from '../lib/agents/settings/places.ts';
import { hookGround, type HookGround } from '../lib/app/hooks/ground.ts';
import { assertPossible, changesOf, notesOn, performPlan, warningsOn, type HookPlan } from '../lib/app/hooks/install.ts';
import { requireProject } from '../lib/app/installation.ts';
import { unifiedDiff } from '../lib/formats/unified-diff.ts';
import type { CommandContext, FlagRow, OperandRow } from './command.ts';
import { open } from './open.ts';
import { printable, type Colour, type Look, type Output } from './output.ts';
import { askProof } from './proof.ts';

export const agentOperand: OperandRow = { name: 'AGENT', summary: 'Only these', choices: agentNames, repeated: true };

export const scopeFlag: FlagRow = {
  name: 'scope', kind: 'text', value: 'SCOPE', choices: scopes,
  summary: 'project: this project, on this machine (default); user: all projects of this account; managed: everybody on the machine, as root',
};

export const dryRunFlag: FlagRow = { name: 'dry-run', kind: 'switch', summary: 'Show the changes, and make none' };

export function scopeOf({ args }: CommandContext): Scope {
  return scopes.find((each) => each === args.text('scope')) ?? 'project';
}

export function agentOf({ args }: CommandContext): readonly AgentName[] {
  const named = new Set(args.operands('AGENT'));
  return agentNames.filter((each) => named.has(each));
}

/** The installation with the project that its scope needs. */
export function openHooks(context: CommandContext, scope: Scope): HookGround {
  const installation = open(context);
  if (scope === 'project') requireProject(installation);
  return hookGround(installation);
}

/** The diffs of a plan, as lines. */
export function planLines(plan: HookPlan, look: Look): readonly string[] {
  return changesOf(plan).flatMap(({ path, before, after }) => unifiedDiff(before, after, path).map((line) => coloured(printable(line), look)));
}

function coloured(line: string, { paint }: Look): string {
  const colours: Readonly<Record<string, Colour>> = { '+': 'green', '-': 'red', '@': 'cyan' };
  const colour = colours[line.charAt(0)];
  return colour === undefined ? line : paint(colour, line);
}

/** Says what stands beside the diffs. */
export function tellNotes(ground: HookGround, plan: HookPlan, output: Output): void {
  for (const note of notesOn(ground, plan)) output.note(`${output.err.paint('cyan', 'note:')} ${printable(note)}`);
  for (const warning of warningsOn(plan)) output.warn(printable(warning));
}

export interface PlanRequest {
  readonly question: string;
  readonly attempted: string;
  readonly reason?: string;
  /** What is told when it is done. */
  readonly done: (agents: string) => string;
  readonly nothing: string;
}

/** Shows a plan, asks, and does it. */
export async function carryOut(context: CommandContext, ground: HookGround, plan: HookPlan, { question, attempted, reason, done, nothing }: PlanRequest): Promise<number> {
  const { args, output } = context;
  const changing = plan.agents.filter(({ changes }) => changes.length > 0);
  const dryRun = args.on('dry-run');
  const tell = (changed: boolean): number => {
    if (output.json) output.value(documentOf(plan, changed));
    return exitCode.done;
  };
  if (changing.length === 0) {
    if (!output.json) output.line(nothing);
    return tell(false);
  }
  const lines = planLines(plan, dryRun && !output.json ? output.out : output.err);
  if (dryRun && !output.json) for (const line of lines) output.line(line);
  else if (!dryRun) for (const line of lines) output.message(line);
  tellNotes(ground, plan, output);
  if (dryRun) return tell(false);
  assertPossible(ground, plan);
  const proof = await askProof(context, ground.installation, { question, attempted });
  if (proof === undefined) return exitCode.failed;
  await performPlan(ground, plan, { ...proof, ...(reason === undefined ? {} : { reason }) });
  if (!output.json) output.line(done(changing.map(({ agent }) => agentSigns[agent].title).join(', ')));
  return tell(true);
}

function documentOf({ does, scope, agents }: HookPlan, changed: boolean): object {
  const kinds = (before: string | undefined, after: string | undefined): string => (before === undefined ? 'create' : after === undefined ? 'remove' : 'change');
  return { does, scope, changed, agents: agents.map(({ agent, changes }) => ({ agent, files: changes.map(({ path, before, after }) => ({ path, does: kinds(before, after) })) })) };
}

/** Why hooks are taken out: said in words, on one line. */
export function reasonOf({ args }: CommandContext): string {
  const reason = args.text('reason')?.trim() ?? '';
  if (reason === '' || reason.length > 1000) throw new LokiError('usage', { attempted: 'disable hooks', found: reason === '' ? 'it is not said why, and that is recorded' : 'the reason is longer than 1000 characters', hint: 'Add --reason "upgrading the client"' });
  return reason;
}
