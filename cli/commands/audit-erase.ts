/** `loki audit erase`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { assertNamesNobody, isPossible, isUnknown, performErasure, planErasure, refuseErasure, subjectNamed, type ErasurePlan, type Stretch } from '../../lib/app/audit/erasure.ts';
import type { Installation } from '../../lib/app/installation.ts';
import type { Command, CommandContext } from '../command.ts';
import { confirm, yesFlag } from '../confirm.ts';
import { actorOf, open } from '../open.ts';
import { columns, printable } from '../output.ts';
import { asFlag, askProof } from '../proof.ts';

export const command: Command = {
  about: [
    'Erases a person from the log of record: the key of the subject is destroyed, so that nobody can read any more what is sealed under it. The chain stays as it is, and verifying it needs no key.',
    'It needs enterprise.audit.gdpr_compliance to have been on when the entries were written. What was written before, and every copy elsewhere that is known, is listed: that remains to be done by hand. docs/formats/erasure.md says how it works.',
  ].join('\n\n'),
  operands: [{ name: 'SUBJECT', summary: 'The person as entries name it: user:alice, or alice', required: true }],
  flags: [
    { name: 'request', kind: 'text', value: 'ID', summary: 'The number of the request; it is recorded, and must not name the person' },
    { name: 'dry-run', kind: 'switch', summary: 'Say what it would do, and do nothing' },
    { name: 'refuse', kind: 'switch', summary: 'Record that the request is refused; nothing is erased' },
    { name: 'ground', kind: 'text', value: 'TEXT', summary: 'The legal ground of a refusal; it is recorded, and must not name the person' },
    yesFlag, asFlag,
  ],
  examples: [
    ['loki audit erase alice --request R-2026-7 --dry-run', 'what it would do, and every copy that is known'],
    ['loki audit erase user:alice --request R-2026-7', 'asks, then does it'],
    ['loki audit erase alice --request R-2026-7 --refuse --ground "Art 17(3)(e): legal claim 4711"', 'records the refusal'],
  ],
  exits: [[1, 'nothing of this person can be erased'], [4, 'a fresh proof is missing']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const subject = subjectNamed(args.operand('SUBJECT') ?? '');
  const request = args.text('request');
  if (request === undefined) throw new LokiError('usage', { attempted: 'erase a person', found: 'it is not said which request this answers', hint: 'Add --request ID' });
  assertNamesNobody('request', request, subject);
  const installation = open(context);
  if (!installation.config.audit.enabled) throw new LokiError('config.invalid', { attempted: 'erase a person', found: 'audit logging is switched off, and an erasure must be recorded', hint: 'Unset LOKI_AUDIT_DISABLED' });
  if (args.on('refuse')) return refuse(context, installation, subject, request);
  if (args.text('ground') !== undefined) throw new LokiError('usage', { attempted: 'erase a person', found: '--ground is that of a refusal', hint: 'Add --refuse, or leave --ground out' });
  const plan = await planErasure(installation, subject, request, context.terminal.signal);
  if (isUnknown(plan)) {
    if (output.json) output.value(documentOf(plan, 'unknown'));
    else output.line(`Nothing in the log of record is about ${printable(subject)}, as far as it can be read here.`);
    return exitCode.failed;
  }
  return erase(context, installation, plan);
}

async function erase(context: CommandContext, installation: Installation, plan: ErasurePlan): Promise<number> {
  const { args, output } = context;
  const possible = isPossible(plan);
  const dryRun = args.on('dry-run');
  if (!output.json) show(context, plan, dryRun || !possible);
  if (dryRun || !possible) {
    if (output.json) output.value(documentOf(plan, possible ? 'planned' : 'impossible'));
    return possible ? exitCode.done : exitCode.failed;
  }
  const proof = await askProof(context, installation, { question: `Destroy the key of ${printable(plan.subject)}? This cannot be undone.`, attempted: 'erase a person' });
  if (proof === undefined) return exitCode.failed;
  const log = openRecord(installation);
  let erased = plan;
  try {
    erased = await performErasure(installation, log.record, plan, proof);
  } finally {
    await log.close();
  }
  if (output.json) output.value(documentOf(erased, 'erased'));
  else output.line(`Erased: ${entries(erased.sealed)} cannot be read any more.`);
  return exitCode.done;
}

async function refuse(context: CommandContext, installation: Installation, subject: string, request: string): Promise<number> {
  const { args, output } = context;
  const ground = args.text('ground');
  if (ground === undefined) throw new LokiError('usage', { attempted: 'refuse an erasure', found: 'a refusal needs its legal ground', hint: 'Add --ground "Art 17(3)(b): …"' });
  assertNamesNobody('ground', ground, subject);
  if (args.on('dry-run')) {
    output.note('It would be recorded that the request is refused.');
    return exitCode.done;
  }
  if (!await confirm(context, `Record that request ${printable(request)} is refused?`, 'refuse an erasure')) return exitCode.failed;
  const log = openRecord(installation);
  try {
    await refuseErasure(installation, log.record, { subject, request, ground, by: actorOf(installation) });
  } finally {
    await log.close();
  }
  if (output.json) output.value({ status: 'refused', request, ground });
  else output.line(`Recorded: request ${printable(request)} is refused.`);
  return exitCode.done;
}

/** What is to be read before it is decided: on standard output where it is the result, else beside it. */
function show({ args, output }: CommandContext, plan: ErasurePlan, isResult: boolean): void {
  const say = isResult ? output.line : args.on('yes') ? output.note : output.message;
  const { keys, stale, sealed, left, exact, copies, subject } = plan;
  if (stale !== undefined) say(`${printable(subject)} was erased; the rest of it is removed.`);
  else if (keys.length === 0) say(`${printable(subject)} has no key: nothing of what is recorded can be erased by itself. Entries go when they are pruned.`);
  else say(`${printable(subject)} has ${keys.length === 1 ? 'a key' : `${keys.length} keys`}; without it ${entries(sealed)} cannot be read any more.`);
  if (left.entries > 0) say(`The name stays in ${entries(left)}, ${exact === 0 ? 'in none' : `in ${exact}`} of them as who acted or is named; the others have it in a text, such as a path.`);
  say('Not reached, to be handled by hand:');
  for (const line of columns(copies.map(({ what, where, found, advice }) => [`  ${what}`, printable(where), found === null ? '' : `${found} ${found === 1 ? 'file' : 'files'}`, advice]))) say(line);
}

function entries({ entries: count, first_seq, last_seq }: Stretch): string {
  const where = first_seq === null || last_seq === null ? '' : first_seq === last_seq ? ` (seq ${first_seq})` : ` (seq ${first_seq} to ${last_seq})`;
  return `${count} ${count === 1 ? 'entry' : 'entries'}${where}`;
}

function documentOf({ subject, request, keys, sealed, left, exact, copies }: ErasurePlan, status: string): unknown {
  return { status, subject, request, keys: keys.map(({ kid, check }) => ({ kid, check })), sealed, left: { ...left, exact }, copies };
}
