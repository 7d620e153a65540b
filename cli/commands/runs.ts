/** `loki runs …`: runs that the control plane's workers drive, and those of sessions. `loki start` drives one here. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { toRunEvent } from '../../lib/app/api/run-events.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import { isPlainObject, type JsonObject } from '../../lib/base/json.ts';
import { runStatuses } from '../../lib/runs/run.ts';
import type { Command, CommandContext, Commands, FlagRow } from '../command.ts';
import { eventLines } from '../narration.ts';
import { apiExits, assertId, dryRunFlag, idOperand, openAccess, projectHere, urlFlag, wantedId, type Opened } from '../objects/access.ts';
import { getCommand } from '../objects/get.ts';
import { listCommand } from '../objects/list.ts';
import { column, textOf, timeColumn, type Resource } from '../objects/resource.ts';
import { actCommand, send, tellMade } from '../objects/write.ts';
import { printable } from '../output.ts';
import { followRun } from '../run-watch.ts';
import { runColour } from '../session-words.ts';
import { orderFilter, timeFilters } from './tasks.ts';

const run: Resource = {
  one: 'run', many: 'runs', kind: 'run', words: (object) => `${textOf(object, 'id')} (${textOf(object, 'status')})`,
  columns: [
    column('ID', 'id'), { ...column('STATUS', 'status'), colour: (object) => runColour(textOf(object, 'status')) }, timeColumn('STARTED', 'started_at'), { title: 'TOOK', cell: tookWords }, column('TRIGGER', 'trigger'), column('PROJECT', 'project_id', 'shrinks'),
  ],
};

/** `41s`, `3m`, `2h`; empty while it goes on. */
function tookWords(object: JsonObject): string {
  const milliseconds = Date.parse(textOf(object, 'ended_at')) - Date.parse(textOf(object, 'started_at'));
  if (!(milliseconds >= 0)) return '';
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 100 ? `${seconds}s` : seconds < 6000 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3600)}h`;
}

const id = 'run_01J8Z3T5C6D7E8F9G0H1J2K3M4';
const projectId = 'prj_01J8Z3T5C6D7E8F9G0H1J2K3M4';

const watchFlag: FlagRow = { name: 'watch', short: 'w', kind: 'switch', summary: 'Follow it to its end, whose exit code this command then has' };
const ends: Command['exits'] = [[1, 'watching: it failed or was cancelled'], [130, 'interrupted while watching; the run goes on']];

const projectFlag: FlagRow = { name: 'project-id', kind: 'text', value: 'ID', summary: 'The project (the one of the working directory)' };

const timeline: Command = {
  about: 'Tells what happened in a run, up to now.',
  operands: [idOperand(run)], flags: [urlFlag], examples: [[`loki runs timeline ${id}`, ''], [`loki runs timeline ${id} --json`, 'as {run_id, events, duration_seconds}']], exits: apiExits,
  async run(context) {
    const runId = wantedId(context, run);
    const { output } = context;
    const { object } = await openAccess(context).access.ask({ method: 'GET', path: `/runs/${runId}/timeline`, attempted: 'show the timeline' });
    if (output.json) output.value(object);
    else for (const line of timelineLines(object, context)) output.line(line);
    return exitCode.done;
  },
};

function timelineLines({ events, duration_seconds: seconds }: JsonObject, { output }: CommandContext): readonly string[] {
  const told = (Array.isArray(events) ? events : []).filter(isPlainObject).map((event) => toRunEvent(event as JsonObject)).filter((event) => event !== undefined);
  if (told.length === 0) output.note('Nothing has happened in it.');
  if (typeof seconds === 'number') output.note(`${Math.round(seconds)} s`);
  return told.flatMap((event) => eventLines(event, output.out));
}

const watch: Command = {
  about: 'Tells what happens in a run, from its beginning to its end, whose exit code this command then has. A connection that breaks off is made again. With --json: the events, one a line, and the run last.',
  operands: [idOperand(run)], flags: [urlFlag], examples: [[`loki runs watch ${id}`, '']], exits: [...apiExits, ...ends],
  run: (context) => followRun(context, openAccess(context), wantedId(context, run)),
};

const start: Command = {
  about: 'Orders a run: a worker of the control plane drives it (loki worker). The project is the one of the working directory unless --project-id names another; the requirements document is read here and sent along, or left out, and then the project\'s own prd.md is taken. '
    + 'A run may be asked for less than the project allows, never for more.\n\nPrints the run\'s id, and words on stderr; with --watch what happens in it. A request whose answer was lost is sent again as the same one, and orders one run.',
  operands: [],
  flags: [
    projectFlag,
    { name: 'document', kind: 'text', value: 'FILE', summary: 'The requirements document; - for standard input' },
    { name: 'provider', kind: 'text', value: 'NAME', summary: 'Which provider works (as the project says)' },
    { name: 'max-iterations', kind: 'integer', value: 'N', summary: 'At most so many rounds', least: 1, most: 1000 },
    { name: 'budget', kind: 'integer', value: 'TOKENS', summary: 'At most so many tokens', least: 1 },
    watchFlag, dryRunFlag, urlFlag,
  ],
  examples: [['loki runs start --document prd.md --watch', 'in the project here, to its end'], [`loki runs start --project-id ${projectId} --provider claude --max-iterations 3`, '']],
  exits: [...apiExits, ...ends],
  async run(context) {
    const opened = openAccess(context);
    const reply = await send(context, opened, { method: 'POST', path: '/runs', body: await orderOf(context, opened), attempted: 'order a run', isRepeatable: true });
    return reply === undefined ? exitCode.done : tellOrdered(context, reply.object, opened);
  },
};

async function orderOf(context: CommandContext, opened: Opened): Promise<JsonObject> {
  const { args } = context;
  const attempted = 'order a run';
  const named = args.text('project-id');
  const project = named === undefined ? projectHere(opened) : assertId(named, 'project', attempted);
  if (project === undefined) throw new LokiError('usage', { attempted, found: '--project-id is missing, and no project is here', hint: 'List them with: loki projects list' });
  const document = args.text('document');
  const [provider, rounds, budget] = [args.text('provider'), args.number('max-iterations'), args.number('budget')];
  const config = { ...(provider === undefined ? {} : { provider }), ...(rounds === undefined ? {} : { max_iterations: rounds }), ...(budget === undefined ? {} : { budget }) };
  return {
    project_id: project, trigger: 'manual', ...(document === undefined ? {} : { document: await readDocument(context, opened, document) }), ...(Object.keys(config).length === 0 ? {} : { config }),
  };
}

/** As much as the API takes. */
const longestDocument = 256 * 1024;
const inputTimeoutMs = 10_000;

async function readDocument({ terminal }: CommandContext, { installation }: Opened, name: string): Promise<string> {
  const attempted = `read the document "${printable(name)}"`;
  const path = resolveFrom(terminal.cwd, name);
  const input = name === '-' ? await terminal.readInput(longestDocument + 1, inputTimeoutMs) : undefined;
  if (input?.ended === 'timeout') throw new LokiError('usage', { attempted, found: 'standard input did not end in time' });
  const size = name === '-' ? input?.bytes.byteLength : installation.host.disk.stat(path)?.size;
  if (size !== undefined && size > longestDocument) throw new LokiError('usage', { attempted, found: `it has more than ${longestDocument} bytes`, hint: 'Order a smaller piece of work' });
  const bytes = name === '-' ? input?.bytes : installation.host.disk.read(path, longestDocument);
  if (bytes === undefined) throw new LokiError('usage', { attempted, found: 'there is no such file' });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new LokiError('usage', { attempted, found: 'it is not UTF-8' });
  }
}

/** The token in the answer is for the run's own process, and is not printed. */
function tellOrdered(context: CommandContext, { token: _kept, ...object }: JsonObject, opened: Opened): number | Promise<number> {
  const { args, output } = context;
  if (!args.on('watch')) {
    tellMade(run, 'Ordered')(context, object);
    return exitCode.done;
  }
  output.note(`Ordered the run ${printable(textOf(object, 'id'))}`);
  return followRun(context, opened, assertId(textOf(object, 'id'), 'run', 'watch the run'));
}

export const commands: Commands<'list' | 'get' | 'timeline' | 'watch' | 'start' | 'cancel' | 'replay'> = {
  list: listCommand(run, {
    about: 'Lists runs, the newest first.', newestFirst: { order: 'desc' },
    filters: [{ flag: { ...projectFlag, summary: 'Those of this project (all; with --project DIR those of that one)' } }, { flag: { name: 'status', kind: 'text', value: 'STATUS', summary: 'Those with this status', choices: runStatuses } }, ...timeFilters, orderFilter],
    examples: [['loki runs list --status running', ''], ['loki runs list --start 24h --all --json', 'of the last day, as an array'], ['loki runs list --watch', 'and what changes']],
  }),
  get: getCommand(run, { about: 'Shows one run.', examples: [[`loki runs get ${id}`, ''], [`loki runs get ${id} --json`, '']] }),
  timeline, watch, start,
  cancel: actCommand(run, {
    about: 'Cancels a run: its agent and all that it started are ended. One that has ended stays as it is (exit code 1).', act: 'cancel', examples: [[`loki runs cancel ${id}`, '']],
    tell({ output }, object) {
      if (output.json) output.value(object);
      else output.line(`The run ${printable(textOf(object, 'id'))} is ${printable(textOf(object, 'status'))}`);
    },
  }),
  replay: actCommand(run, {
    about: 'Orders a run again, with its document, provider and terms. What is not as it was then is told.', act: 'replay', flags: [watchFlag], exits: ends, examples: [[`loki runs replay ${id}`, ''], [`loki runs replay ${id} --watch`, 'to its end']],
    tell(context, object, opened) {
      for (const difference of differencesOf(object)) context.output.note(`Not as it was: ${printable(difference)}`);
      return Promise.resolve(tellOrdered(context, object, opened));
    },
  }),
};

/** `commit: 3f1c… → 9ab2…`. */
function differencesOf({ config }: JsonObject): readonly string[] {
  const list = isPlainObject(config) ? config['differences'] : undefined;
  const word = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value) ?? 'unknown').slice(0, 80);
  return Array.isArray(list) ? list.filter(isPlainObject).map(({ what, parent, now }) => `${word(what)}: ${word(parent)} → ${word(now)}`) : [];
}
