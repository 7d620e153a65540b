/** `loki enterprise audit tail`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { isEventName, eventNames, levels, type Level } from '../../lib/audit/events.ts';
import { queryLog, type AuditFilter, type LoggedEntry } from '../../lib/audit/query.ts';
import { didYouMean } from '../../lib/base/suggest.ts';
import type { Command, CommandContext } from '../command.ts';
import { entryLine } from '../entries.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { open } from '../open.ts';
import type { Output } from '../output.ts';

/** How often the log is looked at for new entries. */
const lookEveryMs = 250;
/** More new entries than this between two looks are not held in memory; the newest of them are shown. */
const mostAtOnce = 100_000;

export const command: Command = {
  about: 'Prints the newest entries of the log of record, the oldest of them first. With --follow it goes on with new ones as they are written, until it is interrupted.',
  operands: [],
  flags: [
    { name: 'lines', short: 'n', kind: 'integer', value: 'N', summary: 'So many entries (20)', least: 0, most: 1_000_000 },
    { name: 'follow', short: 'f', kind: 'switch', summary: 'Go on with new entries' },
    { name: 'event', kind: 'text', value: 'NAME', summary: 'Only this event, such as policy.deny' },
    { name: 'level', kind: 'text', value: 'LEVEL', summary: 'Only this level', choices: levels },
    { name: 'actor', kind: 'text', value: 'ACTOR', summary: 'Only this actor: agent:claude, or claude' },
  ],
  examples: [
    ['loki enterprise audit tail', 'the last 20 entries'],
    ['loki enterprise audit tail --follow', 'and new ones as they come'],
    ['loki enterprise audit tail --event session.start', 'one event'],
    ['loki enterprise audit tail --level error -n 5 --json', 'entries as they stand in the log, one a line'],
  ],
  exits: [[130, 'interrupted while following']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const filter = filterOf(context);
  const installation = open(context);
  const { host: { disk }, home } = installation;
  const last = newestSeq(queryLog(disk, home.audit, {}));
  const newest = [...first(queryLog(disk, home.audit, { ...filter, before: last + 1 }), args.number('lines') ?? 20)].reverse();
  for (const entry of newest) print(entry, output);
  if (newest.length === 0 && !args.on('follow')) output.note('No such entry.');
  if (!args.on('follow')) return exitCode.done;
  await follow(output, installation, { ...filter, after: last }, terminal.signal);
  return terminal.signal.reason === 'closed' ? exitCode.done : exitCode.interrupted;
}

function filterOf({ args }: CommandContext): AuditFilter {
  const event = args.text('event');
  if (event !== undefined && !isEventName(event)) {
    throw new LokiError('usage', {
      attempted: 'show entries', found: `there is no event "${event}"${didYouMean(event, eventNames)}`, hint: 'docs/formats/audit.md lists the events',
    });
  }
  const level = args.text('level');
  const actor = args.text('actor');
  return {
    ...(event === undefined ? {} : { event }),
    ...(isLevel(level) ? { level } : {}),
    ...(actor === undefined ? {} : { actor }),
  };
}

function isLevel(text: string | undefined): text is Level {
  return levels.some((level) => level === text);
}

/** Prints what is written after `filter.after` until the signal aborts. */
async function follow(output: Output, { host, home }: Installation, filter: AuditFilter & { readonly after: number }, signal: AbortSignal): Promise<void> {
  let { after } = filter;
  while (!signal.aborted) {
    await host.timers.sleep(lookEveryMs);
    const last = newestSeq(queryLog(host.disk, home.audit, {}));
    if (last <= after) continue;
    const fresh = [...first(queryLog(host.disk, home.audit, { ...filter, after, before: last + 1 }), mostAtOnce)];
    for (const entry of fresh.reverse()) print(entry, output);
    after = last;
  }
}

function newestSeq(entries: Iterable<LoggedEntry>): number {
  for (const { seq } of entries) return seq;
  return 0;
}

function* first<T>(items: Iterable<T>, most: number): Generator<T> {
  let left = most;
  if (left === 0) return;
  for (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}

function print(entry: LoggedEntry, output: Output): void {
  output.line(output.json ? JSON.stringify(entry) : entryLine(entry, output.out));
}
