/** `loki enterprise audit tail`. */
import { exitCode } from '../../lib/errors.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { openReading, recordAccessOnce, type LogReading } from '../../lib/app/audit/reading.ts';
import type { Follower } from '../../lib/audit/follow.ts';
import { isEntry, matches, parseEntry } from '../../lib/audit/query/filter.ts';
import type { AuditFilter, LoggedEntry } from '../../lib/audit/query.ts';
import { entryFilter, entryFlags } from '../audit-filter.ts';
import type { Command, CommandContext } from '../command.ts';
import { entryText, noteClosed, warnUnreadable } from '../entries.ts';
import { actorOf, open } from '../open.ts';

/** How often the log is looked at for new entries. */
const lookEveryMs = 250;
const linesAWrite = 64;

export const command: Command = {
  about: 'Prints the newest entries of the log of record, the oldest of them first. With --follow it goes on with new ones as they are written, until it is interrupted.',
  operands: [],
  flags: [
    { name: 'lines', short: 'n', kind: 'integer', value: 'N', summary: 'So many entries (20)', least: 0, most: 1_000_000 },
    { name: 'follow', short: 'f', kind: 'switch', summary: 'Go on with new entries' },
    ...entryFlags,
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
  const filter = entryFilter(args, 'show entries');
  const installation = open(context);
  const { host, home } = installation;
  const follower = args.on('follow') ? (await import('../../lib/audit/follow.ts')).followLog(host.disk, home.audit) : undefined;
  try {
    const newest = await newestEntries(context, installation, follower === undefined ? filter : { ...filter, before: follower.startSeq + 1 });
    await recordAccessOnce(installation, actorOf(installation), 'tail', filter, newest.length);
    // A write costs as much as forming a line does.
    for (let at = 0; at < newest.length; at += linesAWrite) output.line(newest.slice(at, at + linesAWrite).map((entry) => entryText(entry, output)).join('\n'));
    if (newest.length === 0 && follower === undefined) output.note('No such entry.');
    if (follower === undefined) return exitCode.done;
    await follow(context, installation, filter, follower);
  } finally {
    follower?.close();
  }
  return terminal.signal.reason === 'closed' ? exitCode.done : exitCode.interrupted;
}

async function newestEntries({ args, output }: CommandContext, installation: Installation, filter: AuditFilter): Promise<readonly LoggedEntry[]> {
  const wanted = args.number('lines') ?? 20;
  const found: LoggedEntry[] = [];
  if (wanted === 0) return found;
  const reading = await openReading(installation, warnUnreadable(output));
  for (const hit of reading.search(filter)) {
    if (hit !== undefined) found.push(hit.entry);
    if (found.length === wanted) break;
  }
  noteClosed(reading.closed(), output);
  return found.reverse();
}

/** Prints what is written from now on, until the signal aborts. */
async function follow({ output, terminal: { signal } }: CommandContext, installation: Installation, filter: AuditFilter, follower: Follower): Promise<void> {
  while (!signal.aborted) {
    let reading: LogReading | undefined;
    for (const line of follower.look()) {
      // Made anew with each look: a key that was destroyed meanwhile opens nothing more.
      reading ??= await openReading(installation);
      const raw = parseEntry(line);
      const entry = raw === undefined ? undefined : reading.open(raw);
      if (isEntry(entry) && matches(entry, filter)) output.line(entryText(entry, output));
      if (signal.aborted) return;
    }
    await installation.host.timers.sleep(lookEveryMs);
  }
}
