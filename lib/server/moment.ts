/** Points in time as callers write them: a day (`2026-02-01`), or a time of a day in UTC (`2026-02-01T10:00:00Z`). */
import type { QueryRule } from './query.ts';

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

export const moment: QueryRule = {
  accepts: 'a day as 2026-02-01, or a time as 2026-02-01T10:00:00Z',
  fits: (text) => momentStart(text) !== undefined,
};

/** Refuses the 30th of February, which the parser would move into March. */
function real(text: string): string | undefined {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== text ? undefined : text;
}
