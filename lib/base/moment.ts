/** Points in time as people write them: a day (`2026-02-01`), a time of a day in UTC (`2026-02-01T10:00:00Z`), or how long ago (`24h`). */
import { parseDuration } from './duration.ts';

const shape = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?Z)?$/;

/** The first millisecond meant, as entries write it; undefined when the text is no such time. */
export function momentStart(text: string): string | undefined {
  const [, day, minutes = '00:00', seconds = '00', fraction = ''] = shape.exec(text) ?? [];
  if (day === undefined) return undefined;
  return real(`${day}T${minutes}:${seconds}.${fraction.padEnd(3, '0')}Z`);
}

/** The last millisecond meant: a day ends at its last one, a second too. */
export function momentEnd(text: string): string | undefined {
  const [, day, minutes = '23:59', seconds = '59', fraction = ''] = shape.exec(text) ?? [];
  if (day === undefined) return undefined;
  return real(`${day}T${minutes}:${seconds}.${fraction.padEnd(3, '9')}Z`);
}

/** The time so long before `now` (milliseconds since the epoch): `30m`, `24h`, `7d`; undefined for what is no length of time with a unit. */
export function momentAgo(text: string, now: number): string | undefined {
  const length = /^\d+$/.test(text) ? undefined : parseDuration(text);
  return length === undefined ? undefined : new Date(Math.max(0, now - length)).toISOString();
}

/** Refuses the 30th of February, which the parser would move into March. */
function real(text: string): string | undefined {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== text ? undefined : text;
}
