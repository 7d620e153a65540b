/** What a check of `loki doctor` is, and what it answers. */
import type { Scene } from './scene.ts';

/** `warn`: it works, and somebody should know. `fail`: something is not recorded, not protected or not delivered. */
export type Status = 'ok' | 'warn' | 'fail';

/** What a check found, and what repairs it. */
export interface Outcome {
  readonly status: Status;
  /** What was found, in words. */
  readonly found: string;
  /** The one command or step that repairs it; missing when there is nothing to repair. */
  readonly repair?: string;
}

/** One check. `look` only looks; what it throws is told as found. */
export interface Check {
  readonly name: string;
  /** What it looks at, in words. */
  readonly about: string;
  look(scene: Scene): Outcome | Promise<Outcome>;
}

export const ok = (found: string): Outcome => ({ status: 'ok', found });
export const warn = (found: string, repair: string): Outcome => ({ status: 'warn', found, repair });
export const fail = (found: string, repair: string): Outcome => ({ status: 'fail', found, repair });

/** `12 files`, `1 file`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

const mostNames = 5;

/** A few names, and how many more there are. */
export function names(all: readonly string[]): string {
  const shown = all.slice(0, mostNames).join(', ');
  return all.length > mostNames ? `${shown} and ${all.length - mostNames} more` : shown;
}

/** `1.5 GB`. */
export function bytes(number: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [number, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit] ?? ''}`;
}

/** A moment as people and programs read it. */
export function moment(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** `3 days`, `2 hours`, `40 seconds`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds >= 2 * 86_400) return count(Math.floor(seconds / 86_400), 'day');
  if (seconds >= 2 * 3600) return count(Math.floor(seconds / 3600), 'hour');
  return seconds >= 120 ? count(Math.floor(seconds / 60), 'minute') : count(seconds, 'second');
}

/** A path in a command line for a POSIX shell. */
export function quoted(path: string): string {
  return /^[\w./@%+=:,~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
