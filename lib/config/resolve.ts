/**
 * Puts the layers of the configuration together: flag, environment, organisation file, user file, project file, default,
 * strongest first. Trusts everybody but the project file, which comes from a repository and may be hostile: it may set no
 * key marked U and only tighten keys marked T. Every value of every layer is checked, also one that a stronger layer
 * overrides, and all mistakes are reported at once.
 */
import { LokiError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { quoted } from '../base/quoted.ts';
import { didYouMean } from '../base/suggest.ts';
import { buildConfig, table } from './config.ts';
import type { Config, ConfigOrigin, Origin, Warning } from './config.ts';
import { keyTree, placed, readDocument, readOrNote, refusal } from './document.ts';
import type { ConfigFile, KeyTree, Written } from './document.ts';
import { clientSection } from './sections/enterprise.ts';
import { absolute, conflicts, derive } from './rules.ts';
import type { MachineFacts, Resolution, Resolved } from './rules.ts';
import type { Setting, Variable } from './setting.ts';

/** The environment, as the host hands it over. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything the configuration is made of. */
export interface ConfigSources {
  /** Text of each flag given, by the flag's name: `--port` -> `8080`. */
  readonly flags?: ReadonlyMap<string, string>;
  readonly env: Environment;
  /** At most one file a layer. */
  readonly files: readonly ConfigFile[];
  readonly facts: MachineFacts;
}

/** More unknown variables than this are not listed. */
const mostUnknown = 20;

let tree: KeyTree | undefined;

/** The configuration, or `config.invalid` with every mistake and its place. */
export function resolveConfig(sources: ConfigSources): Config {
  const notes = noNotes();
  const files = sources.files.map((file) => readFile(file, notes));
  const resolution: Resolution = new Map();
  for (const setting of table) resolution.set(setting.key, isGiven(setting, sources, files) ? resolveSetting(setting, sources, files, notes) : byDefault(setting));
  derive(resolution, table, sources.facts);
  checkTogether(resolution, sources, notes);
  const metadata = readMetadata(resolution, sources.env, notes);
  warnUnknownVariables(sources.env, metadata, notes);
  if (notes.problems.length > 0) throw invalid(notes);
  const originOf = (key: string): Origin => resolution.get(key)?.origin ?? { layer: 'default', name: '' };
  return {
    ...buildConfig((key) => resolution.get(key)?.value),
    metadata, warnings: notes.warnings, origin: originOf,
    explain: () => table.map((setting) => explained(setting, resolution.get(setting.key))),
  };
}

/** LOKI_HOME, which has to be known before its configuration file can be read. Throws `config.invalid`. */
export function lokiHome(env: Environment, facts: Pick<MachineFacts, 'homeDir'>): string {
  const notes = noNotes();
  const given = fromEnvironment(clientSection.home, env, notes);
  if (notes.problems.length > 0) throw invalid(notes);
  return absolute(typeof given?.value === 'string' ? given.value : clientSection.home.default, facts.homeDir);
}

/** A value as `loki enterprise status` shows it. */
export function shown(setting: Setting<unknown>, value: unknown): string {
  if (value === undefined) return 'unset';
  if (setting.secret === true) return 'set (hidden)';
  if (setting.show !== undefined) return setting.show(value);
  if (value instanceof Map) return JSON.stringify(Object.fromEntries(value));
  return typeof value === 'string' ? value : JSON.stringify(value);
}

interface Notes {
  readonly problems: Problem[];
  readonly warnings: Warning[];
  /** Keys with a mistake somewhere: combinations with them are not judged. */
  readonly bad: Set<string>;
  /** Places (`file:line`) that no excerpt may show. */
  readonly hidden: Set<string>;
}

function noNotes(): Notes {
  return { problems: [], warnings: [], bad: new Set(), hidden: new Set() };
}

interface ReadFile {
  readonly file: ConfigFile;
  readonly values: ReadonlyMap<string, Written>;
}

function readFile(file: ConfigFile, notes: Notes): ReadFile {
  tree ??= keyTree(table);
  const { written, problems, warnings, bad, hidden } = readDocument(file, tree);
  notes.problems.push(...problems);
  notes.warnings.push(...warnings);
  for (const line of hidden) notes.hidden.add(`${file.path}:${line}`);
  for (const key of bad) notes.bad.add(key);
  return { file, values: new Map(written.map((each) => [each.setting.key, each])) };
}

/** Whether any layer says something of the setting. Most settings are given by nobody, and every hook resolves them all. */
function isGiven({ key, flag, env: variables }: Setting<unknown>, { flags, env }: ConfigSources, files: readonly ReadFile[]): boolean {
  if (variables !== undefined) for (const { name } of variables) if (env[name] !== undefined) return true;
  for (const { values } of files) if (values.has(key)) return true;
  return flag !== undefined && flags?.has(flag) === true;
}

function byDefault(setting: Setting<unknown>): Resolved {
  return { value: setting.default, origin: { layer: 'default', name: '' } };
}

function resolveSetting(setting: Setting<unknown>, sources: ConfigSources, files: readonly ReadFile[], notes: Notes): Resolved {
  const before = notes.problems.length;
  const flag = fromFlag(setting, sources.flags, notes);
  const variable = fromEnvironment(setting, sources.env, notes);
  const strongest = flag ?? variable ?? fromFile(setting, 'organisation', files) ?? fromFile(setting, 'user', files);
  const project = files.find((read) => read.file.layer === 'project');
  const written = project?.values.get(setting.key);
  const given = project === undefined || written === undefined ? strongest : withProject(setting, strongest, project.file, written, notes);
  if (notes.problems.length > before) notes.bad.add(setting.key);
  return given ?? byDefault(setting);
}

function fromFlag(setting: Setting<unknown>, flags: ReadonlyMap<string, string> | undefined, notes: Notes): Resolved | undefined {
  const text = setting.flag === undefined ? undefined : flags?.get(setting.flag);
  if (text === undefined || setting.flag === undefined) return undefined;
  const source = `the flag ${setting.flag}`;
  const value = readOrNote(setting, (refuse) => setting.kind.fromText(text, refuse), (mistake) => {
    notes.problems.push({ message: refusal(setting, source, mistake) });
  });
  return value === undefined ? undefined : { value, origin: { layer: 'flag', name: setting.flag } };
}

/** The first variable that gives the setting; the others are checked all the same. */
function fromEnvironment(setting: Setting<unknown>, env: Environment, notes: Notes): Resolved | undefined {
  const given: Resolved[] = [];
  for (const variable of setting.env ?? []) {
    const value = readVariable(setting, variable, env, notes);
    if (value !== undefined) given.push({ value, origin: { layer: 'environment', name: variable.name } });
  }
  return given[0];
}

/** An empty variable counts as unset, as it does for most programs and for OTEL_* by specification; a warning says so. */
function readVariable(setting: Setting<unknown>, variable: Variable, env: Environment, notes: Notes): unknown {
  const text = env[variable.name];
  if (text === undefined) return undefined;
  if (text.trim() === '') {
    if (variable.shared !== true) notes.warnings.push({ message: `the environment variable ${variable.name} is empty and counts as unset` });
    return undefined;
  }
  const value = readOrNote(setting, (refuse) => setting.kind.fromText(text, refuse), (mistake) => {
    const message = refusal(setting, `the environment variable ${variable.name}`, mistake);
    // Who reads a shared variable tells of it in words of its own.
    if (variable.shared === true) notes.warnings.push({ message: `${message}; the variable is left aside` });
    else if (setting.observes === true) notes.warnings.push({ message: `${message}; the variable is left aside`, setting: setting.key });
    else notes.problems.push({ message });
  });
  if (variable.inverted === true && typeof value === 'boolean') return !value;
  return variable.onlyTrue === true && value !== true ? undefined : value;
}

function fromFile(setting: Setting<unknown>, layer: ConfigFile['layer'], files: readonly ReadFile[]): Resolved | undefined {
  for (const { file, values } of files) {
    const written = file.layer === layer ? values.get(setting.key) : undefined;
    if (written !== undefined) return atPlace(file, written);
  }
  return undefined;
}

function atPlace(file: ConfigFile, written: Written): Resolved {
  const { line, column } = written.key;
  return { value: written.value, origin: { layer: file.layer, name: file.path, line, column } };
}

/** What the project file asks for, as far as it may. */
function withProject(
  setting: Setting<unknown>, strongest: Resolved | undefined, file: ConfigFile, written: Written, notes: Notes,
): Resolved | undefined {
  const asked = atPlace(file, written);
  const rule = setting.project;
  if (rule === undefined) return strongest ?? asked;
  const elsewhere = `Set it in LOKI_HOME/config.yaml${setting.env === undefined ? '' : ` or with ${setting.env.at(-1)?.name ?? ''}`}`;
  const refuse = (why: string): undefined => {
    notes.problems.push(placed(file, written.key, why, setting.secret !== true, elsewhere));
  };
  if (rule === 'never') return refuse(`${setting.key} may not be set by a project file`) ?? strongest;
  const value = shown(setting, written.value);
  if ('combine' in rule) {
    if (strongest === undefined) return asked;
    const both = rule.combine(written.value, strongest.value);
    if (both === undefined) {
      return refuse(`${setting.key} in the project file is ${value}, which leaves nothing of ${shown(setting, strongest.value)} (${from(strongest.origin)})`);
    }
    return shown(setting, both) === shown(setting, strongest.value) ? strongest : { origin: besides(setting, asked.origin, strongest), value: both };
  }
  if (rule.looser(written.value, setting.default)) {
    return refuse(`${setting.key} in the project file is ${value}, but a project file may ${rule.words}`) ?? strongest;
  }
  if (strongest !== undefined && rule.looser(written.value, strongest.value)) {
    const message = `${setting.key} in the project file is ${value} and has no effect: ${shown(setting, strongest.value)} applies (${from(strongest.origin)})`;
    notes.warnings.push(placed(file, written.key, message, false));
  }
  return strongest ?? asked;
}

function besides(setting: Setting<unknown>, origin: Origin, { value, origin: beside }: Resolved): Origin {
  return shown(setting, value) === shown(setting, setting.default) ? origin : { ...origin, beside };
}

function checkTogether(resolution: Resolution, sources: ConfigSources, notes: Notes): void {
  for (const { keys, message, hint } of conflicts(resolution)) {
    if (keys.some((key) => notes.bad.has(key))) continue;
    const origin = keys.map((key) => resolution.get(key)?.origin).find((each) => each !== undefined && each.layer !== 'default');
    notes.problems.push({ ...atOrigin(`${message}${origin === undefined ? '' : ` (${from(origin)})`}`, origin), hint });
  }
  const known = sources.facts.eventNames;
  const excluded = resolution.get('enterprise.audit.exclude_events');
  if (known === undefined || !Array.isArray(excluded?.value)) return;
  for (const event of excluded.value.map(String).filter((each) => !known.includes(each))) {
    notes.problems.push(atOrigin(`enterprise.audit.exclude_events names the unknown event "${event}"${didYouMean(event, known)}`, excluded.origin));
  }
}

function atOrigin(message: string, origin: Origin | undefined): Problem {
  if (origin?.line === undefined || origin.column === undefined) return { message };
  return { message, file: origin.name, line: origin.line, column: origin.column };
}

/** Values of `include_metadata`: names map to variables of their own, never to one that gives a setting. */
function readMetadata(resolution: Resolution, env: Environment, notes: Notes): ReadonlyMap<string, string> {
  const names = resolution.get('enterprise.audit.include_metadata');
  const metadata = new Map<string, string>();
  if (!Array.isArray(names?.value)) return metadata;
  for (const name of names.value.map(String)) {
    const variable = `LOKI_${name.toUpperCase()}`;
    const text = env[variable]?.trim() ?? '';
    if (knownVariables.has(variable)) {
      notes.problems.push(atOrigin(`enterprise.audit.include_metadata names "${name}", but ${variable} is a setting of its own`, names.origin));
    } else if (text.length > 256) {
      notes.problems.push({ message: `the environment variable ${variable} has ${text.length} characters, accepted are at most 256` });
    } else if (text !== '') metadata.set(name, text);
  }
  return metadata;
}

/** What the runner tells an agent about its session (lib/runs/environment.ts); no settings, and nothing to warn of. */
const sessionVariables: readonly string[] = [
  'LOKI_HOOK', 'LOKI_SESSION_ID', 'LOKI_RUN_ID', 'LOKI_PROJECT_DIR', 'LOKI_PROVIDER', 'LOKI_PHASE', 'LOKI_ITERATION', 'LOKI_ROLE', 'LOKI_REVIEW_ID',
];

const knownVariables: ReadonlySet<string> = new Set(table.flatMap((setting) => (setting.env ?? []).map((variable) => variable.name)));

function warnUnknownVariables(env: Environment, metadata: ReadonlyMap<string, string>, notes: Notes): void {
  const taken = new Set([...metadata.keys()].map((name) => `LOKI_${name.toUpperCase()}`));
  const unknown = Object.keys(env).filter((name) => name.startsWith('LOKI_') && !knownVariables.has(name) && !sessionVariables.includes(name) && !taken.has(name));
  for (const name of unknown.slice(0, mostUnknown)) {
    notes.warnings.push({ message: `unknown environment variable ${quoted(name)}${didYouMean(name, knownVariables)}` });
  }
}

function explained(setting: Setting<unknown>, resolved: Resolved | undefined): ConfigOrigin {
  if (resolved === undefined) return { key: setting.key, value: 'unset', from: 'default' };
  return { key: setting.key, value: shown(setting, resolved.value), from: from(resolved.origin) };
}

/** An origin in a few words. */
function from(origin: Origin): string {
  if (origin.layer === 'default') return 'default';
  if (origin.layer === 'flag') return `flag ${origin.name}`;
  if (origin.layer === 'environment') return `env ${origin.name}`;
  return origin.line === undefined ? origin.name : `${origin.name}:${origin.line}`;
}

function invalid({ problems, hidden }: Notes): LokiError {
  const shownOnly = problems.map(({ excerpt, ...rest }) => {
    return excerpt === undefined || hidden.has(`${rest.file}:${rest.line}`) ? rest : { ...rest, excerpt };
  });
  const sorted = shownOnly.sort((a, b) => order(a.file, b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  const first = sorted[0];
  const place = first?.file === undefined ? '' : `${first.file}:${first.line ?? 1}:${first.column ?? 1}: `;
  const more = sorted.length > 1 ? ` (and ${sorted.length - 1} more)` : '';
  return new LokiError('config.invalid', { attempted: 'use the configuration', found: `${place}${first?.message ?? ''}${more}`, problems: sorted });
}

/** What has no file (flags, environment) comes first. */
function order(a: string = '', b: string = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
