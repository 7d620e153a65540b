/** Points in time as callers of the API write them. */
import { momentStart } from '../base/moment.ts';
import type { QueryRule } from './query.ts';

export const moment: QueryRule = {
  accepts: 'a day as 2026-02-01, or a time as 2026-02-01T10:00:00Z',
  fits: (text) => momentStart(text) !== undefined,
};
