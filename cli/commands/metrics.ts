/** `loki metrics`. */
import { exitCode } from '../../lib/errors.ts';
import { askMetrics, metricsForms } from '../../lib/app/metrics/ask.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';

export const command: Command = {
  about: 'Prints what the control plane counts, as Prometheus reads it at /metrics: the one that LOKI_URL names (with LOKI_TOKEN), or where loki login was, else the one that runs on this machine. docs/metrics.md lists every metric.',
  operands: [],
  flags: [{ name: 'format', kind: 'text', value: 'FORMAT', summary: 'Which form (text)', choices: metricsForms }],
  examples: [['loki metrics', ''], ['loki metrics | promtool check metrics', ''], ['loki metrics --json', 'as {"metrics": [{name, kind, help, points: [{labels, value}]}]}']],
  exits: [[2, 'its setting enterprise.server.metrics is off'], [4, 'it wants a key with the scope read'], [8, 'none runs, or it does not answer']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const form = output.json ? 'json' : metricsForms.find((one) => one === args.text('format')) ?? 'text';
  const text = await askMetrics(open(context), form);
  if (form === 'json') output.value(JSON.parse(text));
  else for (const line of text.trimEnd().split('\n')) output.line(printable(line));
  return exitCode.done;
}
