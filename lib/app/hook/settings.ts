/**
 * Settings that change while an agent works. Some agents take new settings up at once, and with them a switch that turns our hooks off; told
 * of the change first, we refuse every one that would. A refused change is still in the file: the next session begins with it, and the
 * enrolment's pins then deny what is asked, as far as anything is.
 */
import { messageOf } from '../../errors.ts';
import type { HookAnswer, HookEvent } from '../../agents/hook.ts';
import { isPlainObject, objectIn } from '../../base/json.ts';
import { changeSinceEnrolment } from '../policy.ts';
import { entryOf, type HookScene } from './scene.ts';

type SettingsEvent = Extract<HookEvent, { readonly does: 'settings' }>;

const largestSettings = 1 << 20;

/** Judges the change, and records it. */
export async function judgeSettings(scene: HookScene, event: SettingsEvent): Promise<HookAnswer> {
  const refusal = await refusalOf(scene, event);
  const { source, path } = event;
  const receipt = await scene.log.record({
    ...entryOf(scene, 'config.change', {
      agent: scene.agent, source, ...(path === undefined ? {} : { file: path }), decision: refusal === undefined ? 'ALLOW' : 'DENY', ...(refusal === undefined ? {} : { reason: refusal }),
    }),
    ...(refusal === undefined ? { level: 'info' } : {}),
  });
  if (refusal === undefined) return { kind: 'allow' };
  return { kind: 'deny', reason: `${refusal}. The settings in force before stay${receipt.seq === null ? '' : ` (audit entry ${receipt.seq})`}` };
}

async function refusalOf({ installation }: HookScene, { path, source }: SettingsEvent): Promise<string | undefined> {
  const change = changeSinceEnrolment(installation);
  if (change !== undefined) return `${change}; the change is not taken up`;
  // Skills change too, and are no settings.
  const off = path === undefined || !source.endsWith('_settings') ? undefined : switchedOffBy(installation.host.disk, path);
  // Also a file that was refused before is read again with the next change.
  return off ?? (await import('./in-force.ts')).hooksLost(installation, source.endsWith('_settings') ? path : undefined);
}

/** What in a settings file, wherever it lies, turns hooks off; also that it cannot be understood, which turns off all that is in it. */
function switchedOffBy(disk: HookScene['installation']['host']['disk'], path: string): string | undefined {
  let bytes: Uint8Array | undefined;
  try {
    bytes = disk.read(path, largestSettings);
  } catch (error) {
    return `${path} cannot be read (${messageOf(error)})`;
  }
  // Removed: whether hooks of ours were in it nobody can tell any more.
  if (bytes === undefined) return `${path} was removed`;
  const settings = objectIn(bytes);
  if (settings === undefined) return `${path} is no JSON object any more`;
  if (settings['disableAllHooks'] === true) return `${path} switches all hooks off`;
  return settings['hooks'] !== undefined && !isPlainObject(settings['hooks']) ? `"hooks" in ${path} is no object` : undefined;
}
