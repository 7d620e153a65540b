/** Checks of what makes an agent leave its hooks out: a switch in any of its settings, hooks it does not trust, a folder it does not trust. */
import type { AgentName } from '../../agents/hook.ts';
import { trustedHash, wantedTrust } from '../../agents/settings/codex.ts';
import { agentSigns } from '../../agents/settings/places.ts';
import { isPlainObject, type JsonValue } from '../../base/json.ts';
import { ancestors, basename, dirname, join } from '../../base/paths.ts';
import { readToml, tomlValue } from '../../formats/toml.ts';
import { fail, ok, type Outcome } from '../doctor/check.ts';
import { repairOf } from './check-commands.ts';
import type { AgentScene, SettingsFile } from './scene.ts';

/** Members that switch hooks off, what they must be for that, and whether hooks of the whole machine stay. */
interface SwitchRow {
  readonly path: readonly string[];
  readonly isOff: (value: JsonValue | undefined) => boolean;
  readonly sparesManaged?: true;
  /** It counts in the settings of the whole machine only. */
  readonly isManaged?: true;
}

const switches: Readonly<Record<AgentName, readonly SwitchRow[]>> = {
  claude: [
    { path: ['disableAllHooks'], isOff: (value) => value === true, sparesManaged: true },
    { path: ['allowManagedHooksOnly'], isOff: (value) => value === true, sparesManaged: true, isManaged: true },
  ],
  codex: [
    { path: ['features', 'hooks'], isOff: (value) => value === false, sparesManaged: true },
    { path: ['allow_managed_hooks_only'], isOff: (value) => value === true, sparesManaged: true, isManaged: true },
  ],
  gemini: [
    { path: ['hooksConfig', 'enabled'], isOff: (value) => value === false },
    { path: ['hooksConfig', 'disabled'], isOff: (value) => Array.isArray(value) && value.includes('loki') },
    { path: ['tools', 'enableHooks'], isOff: (value) => value === false },
  ],
  cursor: [],
  copilot: [{ path: ['disableAllHooks'], isOff: (value) => value === true, sparesManaged: true }],
  opencode: [],
};

export function switchCheck(scene: AgentScene): Outcome | undefined {
  const { agent, files, installed, ground: { places, installation: { surroundings: { env } } } } = scene;
  const onlyManaged = installed.every(({ scope }) => scope === 'managed');
  for (const { path, isOff, sparesManaged, isManaged } of switches[agent]) {
    if (sparesManaged === true && onlyManaged) continue;
    const file = files.find((each) => (isManaged !== true || isOfMachine(each, places.machine)) && isOff(memberOf(each, path)));
    if (file !== undefined) return fail(`${path.join('.')} in ${file.path} switches our hooks off`, isManaged === true ? `sudo loki hooks install ${agent} --scope managed` : `Take ${path.join('.')} out of ${file.path}`);
  }
  if (agent === 'opencode') return opencodeSwitch(env, installed.every(({ scope }) => scope === 'project'));
  return switches[agent].length === 0 ? undefined : ok('none is set');
}

function isOfMachine({ path }: SettingsFile, machine: string): boolean {
  return path.startsWith(`${machine}/etc/`) || path.startsWith(`${machine}/Library/`);
}

function memberOf({ path: file, text, members }: SettingsFile, path: readonly string[]): JsonValue | undefined {
  if (file.endsWith('.toml')) return tomlValue(readToml(text, `"${file}"`), path);
  let value: JsonValue | undefined = members;
  for (const step of path) value = isPlainObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return value;
}

function opencodeSwitch(env: Readonly<Record<string, string | undefined>>, onlyProject: boolean): Outcome {
  if (onlyProject && (env['OPENCODE_DISABLE_PROJECT_CONFIG'] ?? '') !== '') return fail('OPENCODE_DISABLE_PROJECT_CONFIG is set: the plugin of the project is left out', 'unset OPENCODE_DISABLE_PROJECT_CONFIG');
  return ok('none is set; opencode --pure starts without any plugin, which cannot be seen from here');
}

export function trustCheck(scene: AgentScene): Outcome | undefined {
  if (scene.agent === 'codex') return codexTrust(scene);
  return scene.agent === 'gemini' ? geminiTrust(scene) : undefined;
}

function codexTrust({ agent, files, installed, ground: { places } }: AgentScene): Outcome | undefined {
  const config = join(places.codexHome, 'config.toml');
  const text = files.find(({ path }) => path === config)?.text ?? '';
  const own = installed.filter(({ scope }) => scope !== 'managed');
  const [first] = own;
  if (first === undefined) return undefined;
  for (const place of own) {
    const wanted = wantedTrust(place.path, files.find(({ path }) => path === place.path)?.text ?? '{}');
    const missing = wanted.filter(({ key, hash }) => trustedHash(text, config, key) !== hash);
    if (missing.length > 0) return fail(`Codex does not trust ${missing.length} of ${wanted.length} hooks in ${place.path}, and leaves them out without a word`, repairOf(agent, place));
    const off = wanted.find(({ key }) => tomlValue(readToml(text, `"${config}"`), ['hooks', 'state', key, 'enabled']) === false);
    if (off !== undefined) return fail(`a hook of ours is switched off in ${config} (${off.key})`, 'Take its "enabled = false" out');
  }
  const project = own.find(({ scope }) => scope === 'project');
  return project === undefined || places.project === undefined ? ok('the hooks are trusted') : codexFolder(text, config, places.project);
}

function codexFolder(text: string, config: string, project: string): Outcome {
  const level = tomlValue(readToml(text, `"${config}"`), ['projects', project, 'trust_level']);
  if (level === 'trusted') return ok('the hooks and the folder are trusted');
  return fail(`Codex does not trust ${project}${level === undefined ? '' : ` (${JSON.stringify(level)})`}, and leaves its hooks out`, 'Start codex there and trust the folder, or: loki hooks install codex --scope user');
}

/** The nearest folder that has a word about it decides. */
function geminiTrust({ files, ground: { places, installation: { surroundings: { env } } } }: AgentScene): Outcome | undefined {
  const { project } = places;
  if (project === undefined) return undefined;
  if (env['GEMINI_CLI_TRUST_WORKSPACE'] === 'true') return ok('GEMINI_CLI_TRUST_WORKSPACE is set');
  const known = files.find(({ path }) => basename(path) === 'trustedFolders.json')?.members ?? {};
  for (const folder of ancestors(project)) {
    const word = known[folder];
    if (word === 'TRUST_FOLDER' || (word === 'TRUST_PARENT' && folder === project)) return ok('the folder is trusted');
    if (word === 'DO_NOT_TRUST' && folder === project) break;
    if (Object.entries(known).some(([name, each]) => each === 'TRUST_PARENT' && dirname(name) === folder)) return ok('the folder is trusted');
  }
  return fail(`${agentSigns.gemini.title} does not trust ${project}, and runs no hooks there, not even those of the user`, 'Start gemini there and trust the folder');
}
