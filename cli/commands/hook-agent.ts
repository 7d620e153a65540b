/**
 * `loki hook AGENT`: one hook event of a real coding agent on stdin, the answer in that agent's own bytes and exit code. Whatever goes wrong,
 * the answer to what decides is a no that the agent understands; see lib/app/hook/answer.ts.
 */
import { LokiError } from '../../lib/errors.ts';
import { agentTable } from '../../lib/agents/adapters.ts';
import type { AgentAdapter, AgentName } from '../../lib/agents/hook.ts';
import { askSeconds } from '../../lib/agents/hook-events.ts';
import { answerHook, approvalModes, marginMs } from '../../lib/app/hook/answer.ts';
import { watchAsker } from '../../lib/app/hook/asker.ts';
import { facts } from '../../lib/host/facts.ts';
import { timers } from '../../lib/host/time.ts';
import { readAgentInput } from '../agent-input.ts';
import type { Command, CommandContext } from '../command.ts';

/** Before the agent's own limit: most agents let the tool run when a hook takes too long. */
const usualDeadlineMs = (askSeconds - 30) * 1000;

/** The command for one agent. */
export function commandFor(name: AgentName): Command {
  const title = agentTable.find((row) => row.name === name)?.title ?? name;
  return {
    about: `Reads one hook event of ${title} from standard input, judges and records it, and answers as ${title} expects. It is put into the agent's settings by loki hooks install; docs/agents/${name}.md says what is seen and what is not.\n\n`
      + 'An action that needs approval is put to the person before the agent where the agent can ask and the policy leaves it to them; otherwise the hook waits for an approver.',
    operands: [],
    flags: [
      { name: 'wait', kind: 'duration', value: 'TIME', summary: 'Wait for an approval at most so long' },
      { name: 'deadline', kind: 'duration', value: 'TIME', summary: 'Answer no when nothing else was answered by then' },
      { name: 'approval', kind: 'text', value: 'HOW', choices: approvalModes, summary: 'What to do when a person must decide: let the agent ask or wait (auto), wait, ask, or deny at once' },
      { name: 'event', kind: 'text', value: 'NAME', summary: 'The event that the command was installed for' },
    ],
    examples: [[`loki hook ${name} --project "$PWD" < event.json`, 'what would be answered?']],
    exits: [[0, 'answered; the answer stands on stdout'], [2, 'a no, with the reason on stderr']],
    run: (context) => run(context, name),
  };
}

async function run({ args, terminal }: CommandContext, name: AgentName): Promise<number> {
  const adapter = await load(name);
  const deadlineMs = args.number('deadline') ?? usualDeadlineMs;
  const [project, event] = [args.text('project'), args.text('event')];
  const asker = watchAsker({ facts, timers });
  const { stdout, stderr, exit } = await answerHook(adapter, () => readAgentInput(terminal, 'the hook input'), terminal, {
    approval: approvalModes.find((mode) => mode === args.text('approval')) ?? 'auto', waitMs: Math.max(0, Math.min(args.number('wait') ?? Number.POSITIVE_INFINITY, deadlineMs - marginMs)), deadlineMs, signal: asker.signal,
    ...(project === undefined ? {} : { project }), ...(event === undefined ? {} : { event }),
  });
  asker.stop();
  if (stderr !== '') terminal.stderr.write(stderr);
  if (stdout !== '') terminal.stdout.write(stdout);
  return exit;
}

async function load(name: AgentName): Promise<AgentAdapter> {
  const row = agentTable.find((one) => one.name === name);
  if (row === undefined) throw new LokiError('usage', { attempted: `answer the hook of "${name}"`, found: 'there is no such agent' });
  return (await row.load()).adapter;
}
