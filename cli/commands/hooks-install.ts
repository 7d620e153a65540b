/** `loki hooks install`. */
import { assertSomeone, planInstall } from '../../lib/app/hooks/install.ts';
import { planHttp } from '../../lib/app/hooks/over-http.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { agentOf, agentOperand, carryOut, dryRunFlag, openHooks, scopeFlag, scopeOf } from '../hook-words.ts';
import { asFlag } from '../proof.ts';

export const command: Command = {
  about: 'Puts hooks into the settings of coding agents, so that they ask the gate before they act: of the agent named, else of each that is found (its program on the PATH, a folder of '
    + 'its settings). Shows the change of every file first, and asks. Other hooks, comments and the order of what is there stay; hooks of an earlier installation are replaced, its --wait and --approval too. '
    + 'What was there is kept in LOKI_HOME/backups/hooks, it is recorded, and the enrolment of the project is renewed.\n\n'
    + 'The hooks start this installation with an environment of its own: LOKI_HOME and the settings of the gate that are set now are written down. docs/hooks.md describes it.',
  operands: [agentOperand],
  flags: [
    scopeFlag, dryRunFlag,
    { name: 'wait', kind: 'duration', value: 'TIME', summary: 'A hook waits so long for an approval, at most 590s (left out: as long as the agent lets it)' },
    { name: 'approval', kind: 'text', value: 'HOW', choices: ['auto', 'wait', 'ask', 'deny'], summary: 'What becomes of an action that needs approval (auto: ask where the agent can, else wait)' },
    { name: 'http', kind: 'switch', summary: 'Claude Code asks the control plane, which must run, at each call of a tool, in place of starting a program' },
    yesFlag, asFlag,
  ],
  examples: [
    ['loki hooks install', 'every agent that is found'],
    ['loki hooks install claude --dry-run', 'only the change'],
    ['loki hooks install codex --scope user', 'for all projects of this account'],
    ['loki hooks install claude --wait 5m --yes', 'an approval is waited for'],
    ['loki hooks install claude --http', 'faster; refuses everything while the control plane does not run'],
  ],
  exits: [[1, 'a person said no, or a file changed meanwhile'], [3, 'the project is not as it was enrolled'], [4, 'a fresh proof is missing'], [8, '--http: the control plane does not run']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args } = context;
  const scope = scopeOf(context);
  const ground = openHooks(context, scope);
  const [waitMs, approval] = [args.number('wait'), args.text('approval')];
  const choices = { ...(waitMs === undefined ? {} : { waitMs }), ...(approval === undefined ? {} : { approval }) };
  const http = args.on('http') ? await planHttp(ground, scope, agentOf(context), choices) : undefined;
  const plan = planInstall(ground, scope, agentOf(context), choices, http);
  assertSomeone(plan);
  return carryOut(context, ground, plan, {
    question: 'Install these hooks?', attempted: 'install hooks', nothing: 'All hooks are in place; nothing is to do.',
    done: (agents) => `Installed the hooks of ${agents}. To see them work: loki hooks test`,
  });
}
