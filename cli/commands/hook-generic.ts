/**
 * `loki hook generic`: one JSON action on stdin, one JSON verdict line on stdout. Everything that goes wrong here is thrown,
 * and the dispatcher turns it into a verdict that is a no.
 */
import { messageOf } from '../../lib/errors.ts';
import { parseGenericAction, renderGenericVerdict, type GenericEvent, type GenericVerdict } from '../../lib/agents/generic.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { openGate } from '../../lib/app/gate.ts';
import { openForAgent, openInstallation } from '../../lib/app/installation.ts';
import { openGateTelemetry } from '../../lib/app/telemetry/gate.ts';
import type { Terminal } from '../../lib/host/terminal.ts';
import { readAgentInput } from '../agent-input.ts';
import type { Command, CommandContext } from '../command.ts';

export const command: Command = {
  about: 'Reads one action as JSON from standard input, judges it, records the decision, and prints the verdict as one line of JSON. docs/hooks.md describes both. '
    + 'The action goes ahead only when the exit code is 0.\n\nAn action that needs approval waits for it within a session of loki start; '
    + 'elsewhere the answer comes at once, and asking again after the approval gives the yes.',
  operands: [],
  flags: [{ name: 'wait', kind: 'duration', value: 'TIME', summary: 'Wait for an approval at most so long' }],
  examples: [
    ['echo \'{"kind":"exec","command":"npm test"}\' | loki hook generic', 'may this command run?'],
    ['echo \'{"phase":"post","kind":"exec","command":"npm test","ref":41,"outcome":{"ok":true,"exit":0}}\' | loki hook generic', 'it ran'],
  ],
  exits: [[0, 'allowed'], [2, 'unusable input or configuration, which is a no'], [3, 'denied'], [5, 'approval needed, or not given']],
  run,
};

async function run({ args, terminal }: CommandContext): Promise<number> {
  const event = await readEvent(terminal, args.text('project'));
  const installation = openForAgent(terminal, args.text('project'), event.action.cwd);
  const sessionId = terminal.env['LOKI_SESSION_ID'];
  const waitMs = args.number('wait') ?? (sessionId === undefined ? 0 : Number.POSITIVE_INFINITY);
  const telemetry = await openGateTelemetry(installation, 'generic');
  const gate = openGate(installation, { agent: 'generic', waitMs, ...(sessionId === undefined ? {} : { sessionId }), ...telemetry.options });
  let verdict: GenericVerdict;
  try {
    if (event.phase === 'pre') verdict = await gate.decide(event.action);
    else {
      const { action, ref, outcome } = event;
      await gate.report({ action, ...(ref === undefined ? {} : { ref }), ...outcome });
      verdict = { decision: 'ALLOW', allowed: true, reason: 'Recorded', audit_seq: ref ?? null };
    }
  } finally {
    await gate.close();
    await telemetry.end();
  }
  const { line, exit } = renderGenericVerdict(verdict);
  terminal.stdout.write(`${line}\n`);
  return exit;
}

/** What cannot be understood is a no, and a no is recorded too: an agent that probes the gate leaves a trace. */
async function readEvent(terminal: Terminal, named: string | undefined): Promise<GenericEvent> {
  try {
    return parseGenericAction(await readAgentInput(terminal, 'the action'));
  } catch (error) {
    await recordUnusable(terminal, named, error);
    throw error;
  }
}

/** The answer is no whether or not this can be recorded. */
async function recordUnusable(terminal: Terminal, named: string | undefined, error: unknown): Promise<void> {
  try {
    const installation = openInstallation(terminal, named === undefined ? {} : { project: named });
    const { options, end } = await openGateTelemetry(installation, 'generic');
    const log = openRecord(installation, options.telling === undefined ? {} : { telling: options.telling });
    await log.record({ event: 'policy.error', actor: 'agent:generic', details: { decision: 'DENY', rule: 'action.invalid', reason: messageOf(error) } });
    await log.close();
    await end();
  } catch {
    return;
  }
}
