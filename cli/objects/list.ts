/** `loki … list`: pages of a list, as a table or as one JSON array; with --watch what changes in it, until it is interrupted. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { listAll, type Listed, type ListQuestion } from '../../lib/app/api/pages.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { atDeadline } from '../../lib/host/time.ts';
import type { Command, CommandContext, Example } from '../command.ts';
import { apiExits, openAccess, urlFlag, type Opened } from './access.ts';
import { membersGiven } from './members.ts';
import { memberOf, textOf, type Member, type Resource } from './resource.ts';
import { tableOf } from './table.ts';

export interface ListRow {
  readonly about: string;
  /** By their names in the API. */
  readonly filters: readonly Member[];
  readonly examples: readonly Example[];
  /** What makes the newest objects come first, where the list has another order. */
  readonly newestFirst?: Readonly<Record<string, string>>;
}

const usualLimit = 50;
/** Watching looks at so many. */
const watchedLimit = 1000;
const lookEveryMs = 2_000;

export function listCommand(resource: Resource, { about, filters, examples, newestFirst = {} }: ListRow): Command {
  return {
    about: `${about}\n\nAt a terminal the table is cut to its width; --json prints an array with every member. With --watch the list is followed by what is added, changed and removed from then on (with --json: one object {"change","object"} a line), looked at every two seconds.`,
    operands: [],
    flags: [
      ...filters.map(({ flag }) => flag),
      { name: 'limit', kind: 'integer', value: 'N', summary: `At most so many (${usualLimit})`, least: 1, most: 1_000_000 },
      { name: 'all', short: 'a', kind: 'switch', summary: 'All there are, page after page' },
      { name: 'watch', short: 'w', kind: 'switch', summary: `Go on with what changes, among the first ${watchedLimit} unless --limit or --all says otherwise` },
      urlFlag,
    ],
    examples,
    exits: [...apiExits, [130, 'interrupted while watching']],
    async run(context) {
      const { args } = context;
      const opened = openAccess(context);
      const isWatching = args.on('watch');
      const question: ListQuestion = {
        path: `/${resource.many}`, attempted: `list the ${resource.many}`, query: { ...(isWatching ? newestFirst : {}), ...queryOf(context, opened, filters) },
        limit: args.on('all') ? Number.MAX_SAFE_INTEGER : args.number('limit') ?? (isWatching ? watchedLimit : usualLimit),
      };
      const listed = await listAll(opened.access, question);
      const objects = isWatching && Object.keys(newestFirst).length > 0 ? [...listed.objects].reverse() : listed.objects;
      if (isWatching) return watch(context, resource, opened, question, { ...listed, objects });
      print(context, resource, listed);
      return exitCode.done;
    },
  };
}

/** Filters as the query has them; `--project DIR` stands for the project's id where lists are filtered by it. */
function queryOf({ args }: CommandContext, { installation, access }: Opened, filters: readonly Member[]): Readonly<Record<string, string>> {
  const given = membersGiven(args, filters, installation.host.clock.now(), 'list');
  const named = args.text('project') === undefined || !access.isLocal ? undefined : installation.project?.id;
  const usual = named !== undefined && filters.some(({ flag }) => memberOf(flag) === 'project_id') ? { project_id: named } : {};
  return { ...usual, ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])) };
}

function print({ output }: CommandContext, { columns, many }: Resource, { objects, more }: Listed): void {
  if (output.json) output.value(objects);
  else if (objects.length > 0) {
    const { head, lines } = tableOf(objects, columns, output.out);
    for (const line of [head, ...lines]) output.line(line);
  } else output.note(`No ${many} found.`);
  if (more) output.note(`There are more ${many}: --limit N, or --all.`);
}

/** What happened to an object between two looks. */
type Change = 'listed' | 'added' | 'changed' | 'removed';

async function watch(context: CommandContext, resource: Resource, { access }: Opened, question: ListQuestion, first: Listed): Promise<number> {
  const { output, terminal: { signal } } = context;
  let widths: readonly number[] = [];
  const tell = (change: Change, objects: readonly JsonObject[]): void => {
    if (output.json) return objects.forEach((object) => output.line(JSON.stringify({ change, object })));
    const marked = [{ title: '', cell: () => ({ listed: '', added: '+', changed: '~', removed: '-' })[change] }, ...resource.columns];
    const table = tableOf(objects, marked, output.out, widths);
    if (widths.length === 0) output.line(table.head);
    widths = table.widths;
    table.lines.forEach((line) => output.line(line));
  };
  let known = byId(first.objects);
  tell('listed', first.objects);
  if (first.more) output.note(`There are more ${resource.many} than the ${first.objects.length} that are watched: --limit N, or --all.`);
  while (!signal.aborted) {
    await sleepUnless(signal, lookEveryMs);
    if (signal.aborted) break;
    const now = await looked(context, () => listAll(access, question));
    if (now === undefined) continue;
    const [before, after] = [known, byId(now.objects)];
    const of = (change: Change, wanted: (id: string, object: JsonObject) => boolean, among: ReadonlyMap<string, JsonObject>): void => {
      const found = [...among].filter(([id, object]) => wanted(id, object)).map(([, object]) => object);
      if (found.length > 0) tell(change, found);
    };
    of('added', (id) => !before.has(id), after);
    of('changed', (id, object) => before.has(id) && JSON.stringify(before.get(id)) !== JSON.stringify(object), after);
    // What was pushed out of a list that is cut off is not gone.
    if (!now.more) of('removed', (id) => !after.has(id), before);
    known = after;
  }
  return signal.reason === 'closed' ? exitCode.done : exitCode.interrupted;
}

function byId(objects: readonly JsonObject[]): ReadonlyMap<string, JsonObject> {
  return new Map(objects.map((object) => [textOf(object, 'id'), object]));
}

/** Undefined when it could not be looked now, and may be later. */
async function looked({ output, terminal: { signal } }: CommandContext, look: () => Promise<Listed>): Promise<Listed | undefined> {
  try {
    return await look();
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof LokiError) || (error.code !== 'net.unreachable' && error.code !== 'rate_limited')) throw error;
    output.warn(error.message);
    return undefined;
  }
}

/** Returns early when the signal aborts. */
function sleepUnless(signal: AbortSignal, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = atDeadline(milliseconds, done);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
