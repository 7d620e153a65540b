/** The filters that commands over the log of record have in common: their flags, and what was given for them. */
import { LokiError } from '../lib/errors.ts';
import { eventNames, isEventName, levels } from '../lib/audit/events.ts';
import { isEvent } from '../lib/audit/query/filter.ts';
import type { AuditFilter } from '../lib/audit/query.ts';
import { momentAgo, momentEnd, momentStart } from '../lib/base/moment.ts';
import { didYouMean } from '../lib/base/suggest.ts';
import type { Args } from './args.ts';
import type { FlagRow } from './command.ts';

/** Flags that pick entries by what they say. */
export const entryFlags: readonly FlagRow[] = [
  { name: 'event', kind: 'text', value: 'NAME', summary: 'Only this event: policy.deny, or auth.* for all that begin so' },
  { name: 'level', kind: 'text', value: 'LEVEL', summary: 'Only this level', choices: levels },
  { name: 'actor', kind: 'text', value: 'ACTOR', summary: 'Only this actor: agent:claude, or claude' },
];

/** Flags that pick entries by when they were written. */
export const timeFlags: readonly FlagRow[] = [
  { name: 'from', kind: 'text', value: 'TIME', summary: 'From then on: 2026-02-01, 2026-02-01T10:00:00Z, or how long ago: 24h, 7d' },
  { name: 'to', kind: 'text', value: 'TIME', summary: 'Until then; a day to its end' },
];

/** Flags that pick entries by what they are about and when they were written. */
export const searchFlags: readonly FlagRow[] = [
  ...entryFlags,
  { name: 'resource', kind: 'text', value: 'KIND:ID', summary: 'Only what happened to this' },
  ...timeFlags,
  { name: 'text', kind: 'text', value: 'TEXT', summary: 'Only entries that contain this text' },
];

/** Whom entries are about. */
export const subjectFlag: FlagRow = { name: 'subject', kind: 'text', value: 'NAME', summary: 'Only what is about this person: user:alice, or alice' };

/** What `entryFlags` were given. Throws `usage`. */
export function entryFilter(args: Args, attempted: string): AuditFilter {
  const event = args.text('event');
  if (event !== undefined) checkEvent(event, attempted);
  const level = levels.find((one) => one === args.text('level'));
  const actor = args.text('actor');
  return { ...(event === undefined ? {} : { event }), ...(level === undefined ? {} : { level }), ...(actor === undefined ? {} : { actor }) };
}

/** What `timeFlags` were given; relative times count back from `now`. Throws `usage`. */
export function timeFilter(args: Args, attempted: string, now: number): Pick<AuditFilter, 'from' | 'to'> {
  const from = timeOf('from', args.text('from'), momentStart, now, attempted);
  const to = timeOf('to', args.text('to'), momentEnd, now, attempted);
  if (from !== undefined && to !== undefined && from > to) {
    throw new LokiError('usage', { attempted, found: `--from (${from}) is later than --to (${to})`, hint: 'Exchange them; a relative time such as 7d means so long ago' });
  }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** What `searchFlags` were given; relative times count back from `now`. Throws `usage`. */
export function searchFilter(args: Args, attempted: string, now: number): AuditFilter {
  const [resource, text] = [args.text('resource'), args.text('text')];
  return {
    ...entryFilter(args, attempted),
    ...(resource === undefined ? {} : { resource }), ...(text === undefined ? {} : { text }),
    ...timeFilter(args, attempted, now),
  };
}

function checkEvent(event: string, attempted: string): void {
  if (isEventName(event) || (event.endsWith('.*') && eventNames.some((name) => isEvent(name, event)))) return;
  const [group = ''] = event.split('.', 1);
  const hint = eventNames.some((name) => name.startsWith(`${group}.`)) ? `${group}.* means all that begin so; docs/events.md lists the events` : 'docs/events.md lists the events';
  throw new LokiError('usage', { attempted, found: `there is no event "${event}"${didYouMean(event, eventNames)}`, hint });
}

function timeOf(flag: string, text: string | undefined, moment: (text: string) => string | undefined, now: number, attempted: string): string | undefined {
  if (text === undefined) return undefined;
  const time = moment(text) ?? momentAgo(text, now);
  if (time !== undefined) return time;
  throw new LokiError('usage', {
    attempted, found: `--${flag} is "${text}", which is no time`, hint: 'Write a day (2026-02-01), a time in UTC (2026-02-01T10:00:00Z), or how long ago (30m, 24h, 7d)',
  });
}
