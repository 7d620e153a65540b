/** What the checks of one agent's hooks look at, read once: its settings files, our hooks in them, its version. */
import { messageOf } from '../../errors.ts';
import type { AgentName } from '../../agents/hook.ts';
import { installedHooks, type InstalledHook } from '../../agents/settings/changes.ts';
import { hookFile, scopes, settingsFiles, type Scope } from '../../agents/settings/places.ts';
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import { parseJsonc, valueOf } from '../../formats/jsonc/parse.ts';
import { clientOf, type Client } from './client.ts';
import { controlPlaneNow, type ControlPlaneNow } from './over-http.ts';
import { settingsReader, targetOf, type HookGround } from './ground.ts';

/** A file that the agent takes settings from. */
export interface SettingsFile {
  readonly path: string;
  readonly text: string;
  /** Why it cannot be read; the members are then none. */
  readonly problem: string | undefined;
  /** What a JSON file holds; nothing for others. */
  readonly members: JsonObject;
  /** Whether it is JSON without comments. */
  readonly isStrict: boolean;
}

/** Where our hooks stand. */
export interface InstalledScope {
  readonly scope: Scope;
  readonly path: string;
  readonly hooks: readonly InstalledHook[];
}

export interface AgentScene {
  readonly ground: HookGround;
  readonly agent: AgentName;
  readonly client: Client | undefined;
  readonly files: readonly SettingsFile[];
  readonly installed: readonly InstalledScope[];
  /** Looked for where hooks ask over HTTP. */
  readonly controlPlane?: ControlPlaneNow;
}

export async function lookAtAgent(ground: HookGround, agent: AgentName): Promise<AgentScene> {
  const installed = scopes.flatMap((scope): readonly InstalledScope[] => {
    const path = hookFile(agent, scope, ground.places);
    const hooks = path === undefined ? [] : hooksIn(ground, agent, scope);
    return path === undefined || hooks.length === 0 ? [] : [{ scope, path, hooks }];
  });
  const overHttp = installed.some(({ hooks }) => hooks.some(({ http }) => http !== undefined));
  return {
    ground, agent, installed, ...(overHttp ? { controlPlane: await controlPlaneNow(ground.installation) } : {}), client: await clientOf(ground.installation, agent), files: settingsFiles(agent, ground.places).flatMap((path) => readFile(ground, path)),
  };
}

/** A file that cannot be read holds no hooks, and is told of as such. */
function hooksIn(ground: HookGround, agent: AgentName, scope: Scope): readonly InstalledHook[] {
  try {
    return installedHooks(targetOf(ground, agent, scope));
  } catch {
    return [];
  }
}

function readFile({ installation }: HookGround, path: string): readonly SettingsFile[] {
  const bare = { path, text: '', problem: undefined, members: {}, isStrict: true };
  try {
    const text = settingsReader(installation)(path);
    if (text === undefined) return [];
    if (!/\.jsonc?$/.test(path)) return [{ ...bare, text }];
    if (text.trim() === '') return [{ ...bare, text, problem: 'it is empty' }];
    const { root, isStrict } = parseJsonc(text, `"${path}"`);
    const value = valueOf(root);
    return [{ ...bare, text, isStrict, ...(isPlainObject(value) ? { members: value } : { problem: 'it holds no object' }) }];
  } catch (error) {
    return [{ ...bare, problem: messageOf(error) }];
  }
}
