/** A run that is watched over the API: its timeline told as it comes, its end as the exit code. */
import { exitCode } from '../lib/errors.ts';
import { watchRun } from '../lib/app/api/run-events.ts';
import type { JsonObject } from '../lib/base/json.ts';
import type { CommandContext } from './command.ts';
import { eventLines } from './narration.ts';
import { textOf } from './objects/resource.ts';
import type { Opened } from './objects/access.ts';
import { printable } from './output.ts';
import { runColour } from './session-words.ts';

/** Follows it to its end. With `--json` each event is a line of JSON, and the run itself the last one. */
export async function followRun({ output, terminal: { signal } }: CommandContext, { installation, access }: Opened, runId: string): Promise<number> {
  const run = await watchRun(access, runId, {
    timers: installation.host.timers, signal,
    onEvent(event) {
      if (output.json) output.line(JSON.stringify(event));
      else for (const line of eventLines(event, output.out)) output.line(line);
    },
    onBreak: (found) => output.note(found),
  });
  if (signal.aborted) return signal.reason === 'closed' ? exitCode.done : exitCode.interrupted;
  if (run !== undefined && output.json) output.line(JSON.stringify({ run }));
  const status = run === undefined ? '' : textOf(run, 'status');
  if (run !== undefined && !output.json) output.line(`${output.out.paint(runColour(status) ?? 'bold', printable(status))}${reasonOf(run)} (${runId})`);
  return status === 'completed' ? exitCode.done : exitCode.failed;
}

function reasonOf({ result_summary: summary }: JsonObject): string {
  const reason = typeof summary === 'object' && summary !== null && !Array.isArray(summary) ? (summary as JsonObject)['reason'] : undefined;
  return typeof reason === 'string' && reason !== '' ? `: ${printable(reason)}` : '';
}
