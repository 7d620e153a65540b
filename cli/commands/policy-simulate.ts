/** `loki policy simulate`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { recordAccessOnce } from '../../lib/app/audit/reading.ts';
import { requireProject, type Installation } from '../../lib/app/installation.ts';
import { loadLayers, loadNamedPolicy, readLayers } from '../../lib/app/policy.ts';
import { simulate, type Simulated, type SimulationRequest } from '../../lib/app/simulate.ts';
import type { PolicyFile } from '../../lib/policy/rules.ts';
import { timeFilter, timeFlags } from '../audit-filter.ts';
import type { Command, CommandContext } from '../command.ts';
import { warnUnreadable } from '../entries.ts';
import { actorOf, open } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';
import { refuseProblems } from '../policy-words.ts';
import { createProgress } from '../progress.ts';

export const command: Command = {
  about: 'Judges the recorded actions of this project again, with a candidate in place of the project\'s policy (the other layers stay as they are), and tells which would be decided otherwise: by rule, with examples. '
    + 'Without --policy it shows what enforcing the rules would change that are only watched (mode: monitor). Nothing happens and nothing is recorded as decided.\n\n'
    + 'Both policies judge the same record, so that nothing but the policy makes a difference. What a record leaves out is not guessed: content is recorded as a hash, so data rules are not asked about it; actions with secrets or very long texts, '
    + 'and those whose surroundings a rule names and nothing recorded, are counted with the reason. Where the candidate is the policy in force already, or that one cannot be used, and with --recorded, what was decided then is compared with instead.',
  operands: [],
  flags: [
    { name: 'policy', kind: 'text', value: 'FILE', summary: 'The candidate' },
    ...timeFlags,
    { name: 'limit', kind: 'integer', value: 'N', summary: 'At most the newest N decisions', least: 1, most: 1_000_000_000 },
    { name: 'recorded', kind: 'switch', summary: 'Compare with what was decided then, not with what the policy in force says now' },
    { name: 'accept-loosening', kind: 'switch', summary: 'Actions that would newly be allowed, or need less, are no failure' },
  ],
  examples: [
    ['loki policy simulate --policy draft.yaml --from 7d', 'a week of actions by a draft'],
    ['loki policy simulate', 'what enforcing the watched rules would change'],
    ['loki policy simulate --policy .loki/policies.yaml --recorded --json', 'an edited policy, for a pipeline'],
  ],
  exits: [[0, 'nothing would newly be allowed'], [1, 'something would newly be allowed, or need less than it does now'], [2, 'a policy cannot be used'], [130, 'interrupted']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = open(context);
  requireProject(installation);
  const request = requestOf(context, installation);
  const { from, to } = request;
  await recordAccessOnce(installation, actorOf(installation), 'simulate', { event: 'policy.*', ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }, null);
  const progress = createProgress(terminal.stderr, 're-judging', installation.host.clock, args.on('quiet'));
  const found = await simulate(installation, request, { signal: terminal.signal, progress: (done, total) => progress.update(done, total), onUnreadable: warnUnreadable(output) }).finally(() => progress.end());
  const accepted = args.on('accept-loosening');
  if (output.json) output.value({ policy: request.candidate?.filename ?? null, compared_with: request.recorded ? 'recorded' : 'in force', from: from ?? null, to: to ?? null, accepted, ...found });
  else tell(found, request, accepted, output);
  return found.loosened > 0 && !accepted ? exitCode.failed : exitCode.done;
}

function requestOf({ args }: CommandContext, installation: Installation): SimulationRequest {
  const attempted = 'simulate a policy';
  const inForce = loadLayers(readLayers(installation));
  const name = args.text('policy');
  const candidate = name === undefined ? undefined : loadNamedPolicy(installation, name, `use "${name}"`);
  refuseProblems([...inForce.filter(({ layer }) => candidate === undefined || layer !== 'project'), ...candidate === undefined ? [] : [candidate]].flatMap(({ problems }) => problems));
  if (candidate === undefined && !inForce.some(({ rules }) => rules.some(({ monitor }) => monitor))) {
    throw new LokiError('usage', { attempted, found: 'no rule is only watched, and no candidate is named', hint: 'Name one: loki policy simulate --policy FILE' });
  }
  if (candidate === undefined && args.on('recorded')) throw new LokiError('usage', { attempted, found: '--recorded is given without --policy', hint: 'Name the candidate: --policy FILE' });
  const { from, to } = timeFilter(args, attempted, installation.host.clock.now());
  const limit = args.number('limit');
  return {
    inForce, ...(candidate === undefined ? {} : { candidate }), recorded: args.on('recorded') || saysNothing(inForce, candidate),
    ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ...(limit === undefined ? {} : { limit }),
  };
}

/** Where the candidate is what is in force already, or what is in force cannot be used, comparing the two would say nothing. */
function saysNothing(inForce: readonly PolicyFile[], candidate: PolicyFile | undefined): boolean {
  return candidate !== undefined && inForce.some(({ layer, digest, problems }) => layer === 'project' && (digest === candidate.digest || problems.length > 0));
}

function tell(found: Simulated, { candidate, recorded }: SimulationRequest, accepted: boolean, output: Output): void {
  const { paint } = output.out;
  const what = candidate === undefined ? 'with every watched rule enforced' : `with ${printable(candidate.filename)} in place of the project's policy`;
  output.line(`${counted(found.decisions, 'decision')} judged again ${what}, compared with ${recorded ? 'what was decided then' : 'the policy in force'}.`);
  if (found.flips.length > 0) output.line();
  const rows = columns(found.flips.map(({ rule, place, from, to, actions }) => [`${from} -> ${to}`, printable(rule ?? '(no rule)'), counted(actions, 'action'), printable(place ?? '')]));
  found.flips.forEach(({ loosens, examples }, at) => {
    output.line(paint(loosens ? 'red' : 'yellow', rows[at] ?? ''));
    for (const { seq, timestamp, kind, action } of examples) output.line(`    seq ${seq}  ${timestamp}  ${kind}  ${printable(action)}`);
  });
  output.line();
  output.line(`Unchanged: ${found.unchanged}. Stricter: ${found.tightened}. Looser: ${found.loosened}.`);
  for (const { reason, actions, seq } of found.not_rejudged) output.line(`Not judged again: ${actions} (${reason}), such as seq ${seq}.`);
  const { data, judged_by_other_policy: others } = found;
  if (data.actions > 0) output.line(`Data rules (${data.rules.map(printable).join(', ')}) were not asked about the content of ${counted(data.actions, 'action')}: it is recorded as a hash only.`);
  if (others > 0 && !recorded) output.note(`${counted(others, 'decision')} ${others === 1 ? 'was' : 'were'} made by another policy than the one in force; --recorded compares with what was decided then.`);
  if (found.loosened > 0) output.line(paint('red', `${counted(found.loosened, 'action')} would newly be allowed, or need less than now${accepted ? ', which was accepted' : '. Where that is meant: --accept-loosening'}.`));
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
