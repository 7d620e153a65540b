/**
 * Where coding agents keep, inside a project, what makes them ask the gate, and which part of such a file that is. An agent
 * writes other things into these files by itself (permissions a person gave, for instance), so of JSON settings only the
 * members that could switch hooks off or lead them elsewhere are taken. What cannot be read as JSON is taken whole.
 */
import { canonicalJson, objectIn, type JsonValue } from '../base/json.ts';
import { parseStrictJson } from '../formats/strict-json.ts';

/** A file, or with a slash at its end a folder, below the project. */
export interface HookFile {
  readonly agent: string;
  readonly path: string;
  /** Members of a JSON object that matter; all of the file when left out. */
  readonly members?: readonly string[];
}

const copilotMembers = ['hooks', 'disableAllHooks'];
const claudeMembers = ['hooks', 'disableAllHooks', 'env', 'enabledPlugins'];

/** Formats: anchors of each vendor's hook documentation, in docs/hooks.md. */
export const projectHookFiles: readonly HookFile[] = [
  { agent: 'claude', path: '.claude/settings.json', members: claudeMembers },
  { agent: 'claude', path: '.claude/settings.local.json', members: claudeMembers },
  { agent: 'codex', path: '.codex/hooks.json' },
  { agent: 'codex', path: '.codex/config.toml' },
  { agent: 'gemini', path: '.gemini/settings.json', members: ['hooks', 'hooksConfig'] },
  // Read into its own environment by every start, and handed on to hooks.
  { agent: 'gemini', path: '.gemini/.env' },
  { agent: 'cursor', path: '.cursor/hooks.json' },
  { agent: 'copilot', path: '.github/hooks/' },
  { agent: 'copilot', path: '.github/copilot/settings.json', members: copilotMembers },
  { agent: 'copilot', path: '.github/copilot/settings.local.json', members: copilotMembers },
  { agent: 'opencode', path: '.opencode/plugin/' },
  { agent: 'opencode', path: '.opencode/plugins/' },
  // Code that is loaded into the process that our plugin works in.
  { agent: 'opencode', path: '.opencode/tool/' },
  { agent: 'opencode', path: '.opencode/tools/' },
  { agent: 'opencode', path: '.opencode/opencode.json', members: ['plugin'] },
  { agent: 'opencode', path: '.opencode/opencode.jsonc' },
  { agent: 'opencode', path: 'opencode.json', members: ['plugin'] },
  { agent: 'opencode', path: 'opencode.jsonc' },
];

/** The part of a file's text that matters for hooks; undefined when it has none. */
export function hookPart(text: string, members: readonly string[] | undefined): string | undefined {
  if (members === undefined) return text;
  const value = isUnambiguous(text) ? objectIn(text) : undefined;
  if (value === undefined) return text;
  const part: readonly (readonly [string, JsonValue])[] = members.flatMap((name) => {
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    return member === undefined ? [] : [[name, member] as const];
  });
  return part.length === 0 ? undefined : canonicalJson(Object.fromEntries(part));
}

/** Whether every reader sees the same in it. */
function isUnambiguous(text: string): boolean {
  try {
    parseStrictJson(text, 'hook settings');
    return true;
  } catch {
    return false;
  }
}
