/**
 * Which stretch of time a consumption belongs to. Days and months are those of UTC and of the reporting machine's clock. A clock
 * that is set back counts on in the stretch it goes back to, whose count is still there: nothing is given twice.
 */
import { sha256Hex } from '../base/digest.ts';
import type { BudgetPeriod } from '../policy/rules.ts';

/** Where and when. `at` is milliseconds since the epoch. */
export interface Moment {
  readonly projectId: string;
  readonly sessionId: string;
  readonly at: number;
}

/** One stretch. */
export interface BudgetWindow {
  readonly period: BudgetPeriod;
  /** `2026-02-15`, `2026-02`, the session's id, `all`. */
  readonly name: string;
  /** Where its count is kept. */
  readonly key: string;
  /** First millisecond after it; undefined where no clock ends it. */
  readonly endsAt: number | undefined;
}

export const periods: readonly BudgetPeriod[] = ['session', 'day', 'month', 'total'];

/** The stretch of a period that a moment lies in. */
export function windowOf(period: BudgetPeriod, { projectId, sessionId, at }: Moment): BudgetWindow {
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const iso = date.toISOString();
  const made = (name: string, endsAt: number | undefined): BudgetWindow => ({ period, name, key: `${windowPrefix(projectId, period)}${keyPart(name)}`, endsAt });
  switch (period) {
    case 'session': return made(sessionId, undefined);
    case 'day': return made(iso.slice(0, -14), Date.UTC(year, month, day + 1));
    case 'month': return made(iso.slice(0, -17), Date.UTC(year, month + 1));
    case 'total': return made('all', undefined);
  }
}

/** Keys of the stretches of one period, oldest first. */
export function windowPrefix(projectId: string, period: BudgetPeriod): string {
  return `budgets/${keyPart(projectId)}/${period}/`;
}

/** Marks that a report has been counted. */
export function reportKey({ projectId, id, at }: { readonly projectId: string; readonly id: string; readonly at: number }): string {
  return `${reportPrefix(projectId)}${new Date(at).toISOString().slice(0, -14)}/${keyPart(id)}`;
}

export function reportPrefix(projectId: string): string {
  return `budget-reports/${keyPart(projectId)}/`;
}

/** A name as a segment of a key: ids stand as they are, anything else by its hash. */
function keyPart(name: string): string {
  return /^[A-Za-z0-9_-]{1,100}$/.test(name) ? name : `h.${sha256Hex(name)}`;
}
