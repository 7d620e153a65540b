/** `loki pause`. */
import { exitCode } from '../../lib/errors.ts';
import { requireProject } from '../../lib/app/installation.ts';
import { pauseSession } from '../../lib/runs/control.ts';
import type { Command, CommandContext } from '../command.ts';
import { actorOf, open } from '../open.ts';
import { withParts } from '../parts.ts';

export const command: Command = {
  about: 'Asks the project\'s session to pause before its next phase. What the agent is doing now is finished first.',
  operands: [],
  flags: [],
  examples: [['loki pause', 'then loki resume goes on'], ['loki pause --json', '']],
  exits: [],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = open(context);
  const { project } = requireProject(installation);
  const session = await withParts(installation, ({ store }) => pauseSession({ store, facts: installation.host.facts }, { ...project, tenant_id: null }, actorOf(installation)));
  if (output.json) output.value({ session_id: session.id, run_id: session.run_id, state: session.state });
  else output.line(session.state === 'paused' ? 'The session is paused already.' : 'The session will pause before its next phase. Go on with: loki resume');
  return exitCode.done;
}
