/** `loki resume`. */
import { exitCode } from '../../lib/errors.ts';
import { requireProject } from '../../lib/app/installation.ts';
import { takeUpSession } from '../../lib/app/session.ts';
import { resumeSession } from '../../lib/runs/control.ts';
import type { Command, CommandContext } from '../command.ts';
import { actorOf, open } from '../open.ts';
import { withParts } from '../parts.ts';
import { reportOutcome, sessionOptions } from '../session.ts';

export const command: Command = {
  about: 'Lets a paused session go on. A session whose process died is taken up here, from the phase it was in, and driven to its end.',
  operands: [],
  flags: [],
  examples: [['loki resume', '']],
  exits: [[0, 'it goes on, or has completed'], [1, 'the run that was taken up failed'], [130, 'interrupted']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = open(context);
  const { project } = requireProject(installation);
  const { session, dead } = await withParts(installation, ({ store }) => resumeSession({ store, facts: installation.host.facts }, { ...project, tenant_id: null }, actorOf(installation)));
  if (dead) return reportOutcome(context, await takeUpSession(installation, sessionOptions(context, installation)));
  if (output.json) output.value({ session_id: session.id, run_id: session.run_id, state: session.state });
  else output.line('The session goes on.');
  return exitCode.done;
}
