/** `loki stop`. */
import { exitCode } from '../../lib/errors.ts';
import { requireProject } from '../../lib/app/installation.ts';
import { stopSession, waitForEnd } from '../../lib/runs/control.ts';
import type { Command, CommandContext } from '../command.ts';
import { actorOf, open } from '../open.ts';
import { withParts } from '../parts.ts';

/** An agent's process group is ended at once; more time than this means that something is wrong. */
const patienceMs = 15_000;

export const command: Command = {
  about: 'Stops the project\'s session at once: the agent\'s processes are ended, the run is recorded as cancelled. A session whose process died is closed.',
  operands: [],
  flags: [],
  examples: [['loki stop', '']],
  exits: [[1, 'it did not end in time']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = open(context);
  const { project } = requireProject(installation);
  const { host, home } = installation;
  const of = { ...project, tenant_id: null };
  const ended = await withParts(installation, async ({ store, record }) => {
    const deps = { ...host, store, record, home: home.home };
    const outcome = await stopSession(deps, of, actorOf(installation));
    return outcome === 'closed' || waitForEnd(deps, of, patienceMs);
  });
  if (output.json) output.value({ stopped: ended });
  else output.line(ended ? 'The session is stopped.' : `The session was asked to stop and has not ended within ${patienceMs / 1000} seconds. Look again with: loki status`);
  return ended ? exitCode.done : exitCode.failed;
}
