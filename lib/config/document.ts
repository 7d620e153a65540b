/**
 * A configuration file: its text is parsed, each key is looked up in the table of settings, and each value is read by its
 * setting's kind. Unknown keys are mistakes with a suggestion. An excerpt of the file is shown only where it cannot hold a
 * secret.
 */
import { LokiError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { quoted } from '../base/quoted.ts';
import { masked } from '../base/secret.ts';
import { suggest } from '../base/suggest.ts';
import { excerptAt } from '../formats/excerpt.ts';
import type { YamlEntry, YamlNode, YamlScalar } from '../formats/yaml/node.ts';
import { parseYamlNode } from '../formats/yaml/parse.ts';
import type { Warning } from './config.ts';
import type { Mistake, Refuse, Setting } from './setting.ts';

/** A configuration file as it was read from disk. JSON is read by the same parser: it is a subset of YAML. */
export interface ConfigFile {
  readonly layer: 'organisation' | 'user' | 'project';
  readonly path: string;
  readonly text: string;
}

/** A value that a file gives to a setting. */
export interface Written {
  readonly setting: Setting<unknown>;
  readonly value: unknown;
  /** Where its key stands. */
  readonly key: YamlScalar;
}

/** What a file says. */
export interface ReadDocument {
  readonly written: readonly Written[];
  readonly problems: readonly Problem[];
  /** Mistakes in settings that only observe. */
  readonly warnings: readonly Warning[];
  /** Keys whose value could not be used. */
  readonly bad: readonly string[];
  /** Lines that may hold a secret under a mistyped key: no problem shows them. */
  readonly hidden: ReadonlySet<number>;
}

/** Keys by their first part; a branch leads on, a leaf is a setting. */
export type KeyTree = ReadonlyMap<string, Branch | Setting<unknown>>;
interface Branch { readonly below: Map<string, Branch | Setting<unknown>> }

/** The settings as a tree of the parts of their keys. */
export function keyTree(table: readonly Setting<unknown>[]): KeyTree {
  const root: Branch = { below: new Map() };
  for (const setting of table) {
    const parts = setting.key.split('.');
    let at = root;
    for (const part of parts.slice(0, -1)) {
      const next = at.below.get(part);
      const branch = next !== undefined && 'below' in next ? next : { below: new Map() };
      at.below.set(part, branch);
      at = branch;
    }
    at.below.set(parts.at(-1) ?? '', setting);
  }
  return root.below;
}

/** Everything a file sets, and every mistake in it. */
export function readDocument(file: ConfigFile, tree: KeyTree): ReadDocument {
  const walk: Walk = { file, written: [], problems: [], warnings: [], bad: [], hidden: new Set() };
  const root = parsed(file, walk.problems);
  if (root?.kind === 'map') readMap(root.entries, tree, '', walk);
  else if (root !== undefined && !isEmpty(root)) walk.problems.push(placed(file, root, `the ${file.layer} file must be a map of settings`, true));
  return walk;
}

/** A problem at a node of a file. `show` says whether the line may be shown. */
export function placed(file: ConfigFile, node: YamlNode, message: string, show: boolean, hint?: string): Problem {
  const excerpt = show && !mayHoldSecret(lineOf(file.text, node.line)) ? excerptAt(file.text, node.line, node.column) : undefined;
  return {
    message, file: file.path, line: node.line, column: node.column,
    ...(excerpt === undefined ? {} : { excerpt }), ...(hint === undefined ? {} : { hint }),
  };
}

/** The words for a value that cannot be used: `enterprise.server.port in the user file is "abc", accepted is …`. */
export function refusal(setting: Setting<unknown>, source: string, mistake: Mistake): string {
  const found = setting.secret === true ? `is ${masked}` : mistake.found;
  const within = setting.secret === true ? '' : mistake.within ?? '';
  return `${setting.key}${within} in ${source} ${found}, accepted is ${mistake.accepts}`;
}

/** Reads a value of a setting. Whatever a kind does, no value means at least one mistake noted, and a mistake means no value. */
export function readOrNote(setting: Setting<unknown>, read: (refuse: Refuse) => unknown, note: (mistake: Mistake) => void): unknown {
  let noted = false;
  const value = read((mistake) => {
    noted = true;
    note(mistake);
    return undefined;
  });
  if (value === undefined && !noted) note({ found: 'cannot be used', accepts: setting.kind.accepts });
  return noted ? undefined : value;
}

interface Walk {
  readonly file: ConfigFile;
  readonly written: Written[];
  readonly problems: Problem[];
  readonly warnings: Warning[];
  readonly bad: string[];
  readonly hidden: Set<number>;
}

function parsed(file: ConfigFile, problems: Problem[]): YamlNode | undefined {
  try {
    return parseYamlNode(file.text, { filename: file.path });
  } catch (error) {
    if (!(error instanceof LokiError) || error.problems.length === 0) throw error;
    for (const { excerpt, ...rest } of error.problems) {
      const at = rest.line ?? 1;
      const show = excerpt !== undefined && ![at - 1, at].some((line) => mayHoldSecret(lineOf(file.text, line)));
      problems.push({ file: file.path, ...rest, ...(show ? { excerpt } : {}) });
    }
    return undefined;
  }
}

function readMap(entries: readonly YamlEntry[], tree: KeyTree, above: string, walk: Walk): void {
  for (const { key, value } of entries) {
    const found = tree.get(key.text);
    if (found === undefined) unknownKey(key, tree, above, walk);
    else if (!('below' in found)) readValue(found, key, value, walk);
    else if (value.kind === 'map') readMap(value.entries, found.below, `${above}${key.text}.`, walk);
    else if (!isEmpty(value)) {
      walk.problems.push(placed(walk.file, value, `${above}${key.text} in the ${walk.file.layer} file must be a map of settings`, false));
    }
  }
}

function readValue(setting: Setting<unknown>, key: YamlScalar, node: YamlNode, walk: Walk): void {
  const source = `the ${walk.file.layer} file`;
  if (setting.environmentOnly === true) {
    const variables = (setting.env ?? []).map((variable) => variable.name).join(' or ');
    walk.problems.push(placed(walk.file, key, `${setting.key} cannot stand in a file`, false, `Set it in the environment: ${variables}`));
    return;
  }
  const value = readOrNote(setting, (refuse) => setting.kind.fromNode(node, refuse), (mistake) => {
    const message = refusal(setting, source, mistake);
    const stopsNobody = setting.observes === true && walk.file.layer !== 'project';
    const problem = placed(walk.file, mistake.node ?? node, stopsNobody ? `${message}; it is left aside` : message, setting.secret !== true && mistake.hidden !== true);
    if (stopsNobody) walk.warnings.push({ ...problem, setting: setting.key });
    else walk.problems.push(problem);
  });
  if (value === undefined) walk.bad.push(setting.key);
  else walk.written.push({ setting, value, key });
}

/** A mistyped secret is still a secret: the line is shown only where it holds one plain word for what is surely another key. */
function unknownKey(key: YamlScalar, tree: KeyTree, above: string, walk: Walk): void {
  const near = suggest(key.text, tree.keys());
  const meant = near === undefined ? undefined : tree.get(near);
  const harmless = meant !== undefined && !('below' in meant) && meant.secret !== true
    && /^\s*[\w.-]+:\s*(?:[a-z]{0,12}|\d{1,8})?\s*$/i.test(lineOf(walk.file.text, key.line).slice(0, 200));
  const message = `unknown key ${quoted(above + key.text)} in the ${walk.file.layer} file${near === undefined ? '' : ` (did you mean "${near}"?)`}`;
  if (!harmless) walk.hidden.add(key.line);
  walk.problems.push(placed(walk.file, key, message, harmless));
}

/** A file, or a part of it, of which everything is commented out. */
function isEmpty(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function mayHoldSecret(line: string): boolean {
  return line.length > 300 || /token|secret|key|pass|cred|webhook|header|auth/i.test(line);
}

function lineOf(text: string, line: number): string {
  return text.split(/\r\n?|\n/, line)[line - 1] ?? '';
}
