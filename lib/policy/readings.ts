/** The ways in which one value can be read. A rule takes the reading that is stricter for it; see `compile.ts`. */
import { resolveFrom } from '../base/paths.ts';
import type { PathProbe } from '../base/paths.ts';
import { absolutePath, realPlaces } from './boundary.ts';
import type { Spent } from './budget.ts';
import type { Context } from './fields.ts';
import type { BudgetRule } from './rules.ts';

/** What closures see of one evaluation. */
export interface Scope {
  readonly context: Context;
  readonly probe: PathProbe;
  readonly commandsIn: CommandsIn;
  /** Readings of paths that one rule asked for serve the next. */
  readonly places: Map<string, readonly string[]>;
  /** The counts of budgets, where somebody keeps them. */
  readonly spent?: (rule: BudgetRule) => Spent;
}

/** A scope for one context. The probe must be good for as long as the scope is. */
export function scopeOf(context: Context, probe: PathProbe, commandsIn: CommandsIn): Scope {
  return { context, probe, commandsIn, places: new Map() };
}

/** The simple commands in a command line: as written, each as words joined by one space, and in other spellings that mean the same. */
export type CommandsIn = (command: string) => { readonly written: readonly string[]; readonly canonical: readonly string[] };

export type Reading = 'all' | 'any';

/** A path as written and as it really is. */
export function pathReadings(path: string, scope: Scope): readonly string[] {
  let readings = scope.places.get(path);
  if (readings === undefined) {
    const base = startOf(scope.context);
    readings = [...new Set([resolveFrom('/', absolutePath(path, base)), ...realPlaces(path, base, scope.probe)])];
    scope.places.set(path, readings);
  }
  return readings;
}

/** Forbidding looks at the whole line and at each command in it, however it is spelled; permitting wants each command permitted as it is written. */
export function commandReadings(command: string, reading: Reading, scope: Scope): readonly string[] {
  const { written, canonical } = scope.commandsIn(command);
  return reading === 'all' && written.length > 0 ? written : [command, ...written, ...canonical];
}

/** A URL as written and as a browser reads it. */
export function urlReadings(url: string): readonly string[] {
  return plainUrl.test(url) || !URL.canParse(url) ? [url] : [url, new URL(url).href];
}

/** Parsing such a URL and printing it again changes nothing. */
const plainUrl = /^https?:\/\/(?:[a-z][a-z0-9-]*\.)+[a-z]+\/(?:[\w-]+(?:\/|$))*$/;

/** Where relative paths of a context start. */
export function startOf(context: Context): string | undefined {
  const { cwd, project_dir: project } = { cwd: context['cwd'], project_dir: context['project_dir'] };
  if (typeof cwd === 'string' && cwd !== '') return cwd.startsWith('/') || typeof project !== 'string' ? cwd : resolveFrom(project, cwd);
  return typeof project === 'string' && project !== '' ? project : undefined;
}

