/**
 * The log of record in a process that lives long (the control plane, a session): at its start it says how the settings
 * differ from those of the process before it, at its orderly end how many entries it recorded. Both are told, not required.
 */
import { objectIn, type JsonObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { scanners } from '../../policy/scan/scanners.ts';
import { openRecord, type OpenLog } from './record.ts';
import { prepareHome, type Installation } from '../installation.ts';
import type { EntryTelling } from '../telemetry/entries.ts';

export interface LongLivedLog extends OpenLog {
  /** Records `audit.close`. Resolves whether or not that could be recorded; closing comes after it. */
  end(reason: string): Promise<void>;
}

/** What kind of process this is: it gets the settings of its like as the ones before. */
export type LongLivedKind = 'control plane' | 'session';

/** `telling`: where telemetry tells of its entries. */
export async function openLongLivedRecord(installation: Installation, kind: LongLivedKind, telling?: EntryTelling): Promise<LongLivedLog> {
  const log = openRecord(installation, { keeps: true, ...(telling === undefined ? {} : { telling }) });
  let entries = 0;
  const record: OpenLog['record'] = async (event, context) => {
    const receipt = await log.record(event, context);
    if (receipt.seq !== null) entries += 1;
    return receipt;
  };
  await noticeSettings(installation, kind, record).catch(() => undefined);
  return {
    ...log, record,
    async end(reason) {
      await log.record({ event: 'audit.close', actor: 'system', details: { process: kind, entries, reason } }).catch(() => undefined);
    },
  };
}

/** Far larger than all settings. */
const largestFile = 1 << 20;
const longestValue = 200;

/** Records `config.change` when settings of this machine differ from those that the process before began with. */
async function noticeSettings(installation: Installation, kind: LongLivedKind, record: OpenLog['record']): Promise<void> {
  const { host: { disk, facts }, home } = installation;
  prepareHome(installation);
  const path = join(home.run, `settings-${kind.replace(' ', '-')}.json`);
  const now = settingsOf(installation);
  const before = parse(disk.readRecord(home.home, path, largestFile));
  const changed = before === undefined ? [] : differences(before, now, installation);
  if (before !== undefined && changed.length === 0) return;
  if (changed.length > 0) await record({ event: 'config.change', actor: `user:${facts.username}`, details: { what: 'settings', process: kind, changed } });
  disk.replace(home.home, path, Buffer.from(`${JSON.stringify(now, null, 2)}\n`), 0o600);
}

/** Settings of the machine that are not at their default. Those of a project or a single call are not the machine's. */
function settingsOf({ config }: Installation): Readonly<Record<string, string>> {
  const rows = config.explain().filter(({ key }) => !['default', 'project', 'flag'].includes(config.origin(key).layer));
  return Object.fromEntries(rows.map(({ key, value }) => [key, scanners.redact(value).slice(0, longestValue)]));
}

function differences(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>, { config }: Installation): readonly JsonObject[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((key) => before[key] !== now[key]).sort();
  return keys.map((key) => {
    const { layer, name } = config.origin(key);
    return { key, from: before[key] ?? null, to: now[key] ?? null, by: layer === 'default' ? null : name };
  });
}

function parse(bytes: Uint8Array | undefined): Readonly<Record<string, string>> | undefined {
  const value = bytes === undefined ? undefined : objectIn(bytes);
  if (value === undefined) return undefined;
  return Object.fromEntries(Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])));
}
