/** `loki enterprise audit search`. */
import { exitCode } from '../../lib/errors.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { openReading, recordAccessOnce, type LogReading } from '../../lib/app/audit/reading.ts';
import type { UnreadBlobs } from '../../lib/audit/blob.ts';
import { subjectName } from '../../lib/audit/query/filter.ts';
import type { AuditFilter, LoggedEntry } from '../../lib/audit/query.ts';
import { searchFilter, searchFlags, subjectFlag } from '../audit-filter.ts';
import type { Command, CommandContext } from '../command.ts';
import { entryText, noteClosed, noteUnread, warnUnreadable } from '../entries.ts';
import { actorOf, open } from '../open.ts';

const mostEntries = 1_000_000;

export const command: Command = {
  about: 'Prints the entries of the log of record that match, the oldest first. Compressed files are searched as well.\n\nWithout --limit all of them are printed; with it the newest of them. An entry matches when all filters do.',
  operands: [],
  flags: [...searchFlags, subjectFlag, { name: 'limit', kind: 'integer', value: 'N', summary: 'At most the newest N', least: 1, most: mostEntries }],
  examples: [
    ['loki enterprise audit search --event auth.fail', 'one event'],
    ['loki enterprise audit search --from 2026-02-01 --to 2026-02-15', 'two weeks, the last day included'],
    ['loki enterprise audit search --actor ci-bot --limit 50', 'the newest 50 entries of token:ci-bot'],
    ['loki enterprise audit search --event \'policy.*\' --from 24h --level warning', 'what policies objected to in the last 24 hours'],
    ['loki enterprise audit search --text deploy.sh --json', 'entries as they stand in the log, one a line'],
  ],
  exits: [[130, 'interrupted']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = open(context);
  const { host } = installation;
  const limit = args.number('limit');
  const subject = args.text('subject');
  const filter = { ...searchFilter(args, 'search the log', host.clock.now()), ...(subject === undefined ? {} : { subject: subjectName(subject) }) };
  const print = (entry: LoggedEntry): void => output.line(entryText(entry, output));
  let closed = 0;
  let unread: UnreadBlobs = { entries: 0, seqs: [] };
  const search: Search = {
    installation, filter, turn: () => turn(context, installation), reading: () => openReading(installation, warnUnreadable(output)),
    ended(reading) { [closed, unread] = [reading.closed(), reading.unread()]; },
  };
  const found = limit === undefined ? await printAll(search, print) : await printNewest(search, limit, print);
  if (terminal.signal.aborted) return terminal.signal.reason === 'closed' ? exitCode.done : exitCode.interrupted;
  if (found === 0) output.note('No such entry.');
  noteClosed(closed, output);
  noteUnread(unread, output);
  return exitCode.done;
}

interface Search {
  readonly installation: Installation;
  readonly filter: AuditFilter;
  readonly turn: () => Promise<void>;
  readonly reading: () => Promise<LogReading>;
  /** Hears of a reading when it is over: how much of it was closed. */
  readonly ended: (reading: LogReading) => void;
}

/** Thrown to end a search that nobody waits for any more. */
class Ended extends Error {}

async function turn({ terminal }: CommandContext, { host }: Installation): Promise<void> {
  await host.timers.yield();
  if (terminal.signal.aborted) throw new Ended();
}

async function printNewest(search: Search, limit: number, print: (entry: LoggedEntry) => void): Promise<number> {
  const newest: LoggedEntry[] = [];
  await each(search, 'newest', (entry) => newest.push(entry) < limit);
  await recordAccessOnce(search.installation, actorOf(search.installation), 'search', search.filter, newest.length);
  for (const entry of newest.reverse()) print(entry);
  return newest.length;
}

async function printAll(search: Search, print: (entry: LoggedEntry) => void): Promise<number> {
  let found = 0;
  let bounded = search;
  if (search.installation.config.audit.logDataAccess) {
    // Who reads is recorded before the first entry is shown, so they are counted first.
    let last = 0;
    await each(search, 'oldest', ({ seq }) => {
      found += 1;
      last = seq;
      return true;
    });
    await recordAccessOnce(search.installation, actorOf(search.installation), 'search', search.filter, found);
    bounded = { ...search, filter: { ...search.filter, before: last + 1 } };
    found = 0;
  }
  await each(bounded, 'oldest', (entry) => {
    found += 1;
    print(entry);
    return true;
  });
  return found;
}

/** So many entries are printed before it is seen whether somebody still reads them. */
const entriesATurn = 500;

/** Calls `take` with each match until it answers false. */
async function each({ filter, turn: next, reading, ended }: Search, order: 'newest' | 'oldest', take: (entry: LoggedEntry) => boolean): Promise<void> {
  let taken = 0;
  const opened = await reading();
  try {
    for (const hit of opened.search(filter, order)) {
      if (hit !== undefined && !take(hit.entry)) return;
      taken += hit === undefined ? 0 : 1;
      if (hit === undefined || taken % entriesATurn === 0) await next();
    }
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  ended(opened);
}
