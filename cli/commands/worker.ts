/** `loki worker`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { isId } from '../../lib/base/ids.ts';
import { openWorker, type Seen, type Worker } from '../../lib/app/worker.ts';
import { timers } from '../../lib/host/time.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';

/** Between two looks at a queue in which nothing could be taken. */
const lookEveryMs = 1_000;
const stepMs = 100;

export const command: Command = {
  about: 'Takes runs that were ordered over the API, one at a time, and sees each to its end, until it is interrupted. The control plane starts workers of its own (runs.workers); this one is '
    + 'for more of them, or for none of its own. Interrupted, it ends the agent and lets go of the run, which another worker takes up.',
  operands: [],
  flags: [
    { name: 'run', kind: 'text', value: 'ID', summary: 'See to this run alone, and end' },
    { name: 'once', kind: 'switch', summary: 'End when nothing is left to take' },
    { name: 'at-most', kind: 'integer', value: 'N', summary: 'End after so many runs', least: 1, most: 1_000_000 },
  ],
  examples: [['loki worker', ''], ['loki worker --once', 'what waits now, then end'], ['loki worker --at-most 20 --json', 'each run as a line of JSON']],
  exits: [[0, 'what was to be seen to has been, whatever became of the runs'], [1, 'a run is left for another worker'], [130, 'interrupted']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, terminal } = context;
  const runId = args.text('run');
  if (runId !== undefined && !isId('run', runId)) throw new LokiError('usage', { attempted: 'see to a run', found: `"${runId.slice(0, 80)}" is no id of a run` });
  const worker = await openWorker(open(context), { signal: terminal.signal });
  try {
    return runId === undefined ? await many(context, worker) : await one(context, worker, runId);
  } finally {
    await worker.close();
  }
}

async function one(context: CommandContext, worker: Worker, runId: string): Promise<number> {
  const seen = await worker.see(runId);
  if (seen === undefined) context.output.note(`Run ${runId} does not wait.`);
  else tell(context, seen);
  return seen?.as === 'later' ? exitCode.failed : exitCode.done;
}

async function many(context: CommandContext, worker: Worker): Promise<number> {
  const { args, terminal: { signal }, output } = context;
  const most = args.number('at-most') ?? Number.POSITIVE_INFINITY;
  output.note('Waiting for runs. Ctrl-C ends it.');
  for (let done = 0; done < most && !signal.aborted;) {
    const round = await takeOne(context, worker);
    if (round?.as === 'later' && round.broken === true) return signal.aborted ? exitCode.interrupted : exitCode.failed;
    if (round?.as === 'ended') done += 1;
    else if (args.on('once')) return round === undefined ? exitCode.done : exitCode.failed;
    else await pause(signal);
  }
  return signal.aborted ? exitCode.interrupted : exitCode.done;
}

/** The first run that can be taken, seen to. Undefined when none waits; what was last found when none could be taken. */
async function takeOne(context: CommandContext, worker: Worker): Promise<Seen | undefined> {
  let last: Seen | undefined;
  const projects = new Set<string>();
  for (const { run_id, project_id } of await worker.waiting()) {
    // One that cannot go on now keeps its place before those that were ordered after it.
    if (context.terminal.signal.aborted || projects.has(project_id)) continue;
    const seen = await worker.see(run_id);
    if (seen === undefined || seen.as === 'gone') continue;
    if (seen.as === 'ended' || (seen.as === 'later' && seen.broken === true)) {
      tell(context, seen);
      return seen;
    }
    projects.add(project_id);
    if (seen.as === 'later') last = seen;
  }
  return last;
}

function tell({ output }: CommandContext, seen: Seen): void {
  if (output.json) output.line(JSON.stringify(seen));
  else if (seen.as === 'gone') output.line(`${seen.run_id}: it has ended`);
  else output.line(`${seen.run_id}: ${seen.as === 'ended' ? seen.status : seen.as}: ${printable(seen.reason)}`);
}

async function pause(signal: AbortSignal): Promise<void> {
  for (let waited = 0; waited < lookEveryMs && !signal.aborted; waited += stepMs) await timers.sleep(stepMs);
}
