/** `loki approvals`. */
import { exitCode } from '../../lib/errors.ts';
import { approvalStatuses, type ApprovalStatus, type ApprovalView } from '../../lib/approvals/approval.ts';
import { approvalLines } from '../approval-words.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { hasStore, withParts } from '../parts.ts';

export const command: Command = {
  about: 'Lists requests for approval, the newest first: by default those that wait for a decision, of all projects or of the one named with --project.',
  operands: [],
  flags: [
    { name: 'status', kind: 'text', value: 'STATUS', summary: 'Those with this status (pending)', choices: [...approvalStatuses, 'all'] },
    { name: 'lines', short: 'n', kind: 'integer', value: 'N', summary: 'At most so many (50)', least: 1, most: 1000 },
  ],
  examples: [['loki approvals', 'what waits'], ['loki approvals --status all --json', 'everything, as a list']],
  exits: [],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const wanted = args.text('status') ?? 'pending';
  const status = approvalStatuses.find((known): known is ApprovalStatus => known === wanted);
  const project = args.text('project') === undefined ? undefined : installation.project?.id;
  const filter = { limit: args.number('lines') ?? 50, ...(status === undefined ? {} : { status }), ...(project === undefined ? {} : { project }) };
  const views: readonly ApprovalView[] = hasStore(installation) ? await withParts(installation, ({ approvals }) => approvals.list(filter)) : [];
  if (output.json) output.value(views);
  else for (const view of views) for (const line of approvalLines(view)) output.line(line);
  if (!output.json && views.length === 0) output.note(wanted === 'pending' ? 'Nothing waits for a decision.' : 'There is none.');
  return exitCode.done;
}
