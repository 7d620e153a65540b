/** The log of record and a project's agent chain, put together from the configuration. Nothing is opened before the first entry. */
import type { JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { openAgentChain, type AgentChain } from '../audit/agent-chain.ts';
import { openAuditLog } from '../audit/log.ts';
import type { AuditReceipt, Recorder } from '../audit/entry.ts';
import { prepareHome, type Installation } from './installation.ts';
import { version } from './version.ts';

/** The log of record as a running part holds it. */
export interface OpenLog {
  readonly record: Recorder;
  close(): Promise<void>;
}

/** Waiting longer than this for the log's lock counts as an unwritable log. */
const lockTimeoutMs = 10_000;

const notRecorded: AuditReceipt = { seq: null, chain_hash: null };

/** Opens the log of record. With audit switched off, everything is accepted and nothing is written. */
export function openRecord(installation: Installation): OpenLog {
  const { config, host, home } = installation;
  if (!config.audit.enabled) return { record: () => Promise.resolve(notRecorded), close: () => Promise.resolve() };
  const log = openAuditLog({
    disk: host.disk, clock: host.clock, timers: host.timers, random: host.random,
    lock: host.lock(join(home.run, 'audit')), lockTimeoutMs,
    base: home.home, directory: home.audit, blobDirectory: home.blobs, tornDirectory: home.torn, legacyDirectory: home.legacy,
    metadata: metadataOf(installation),
    level: config.audit.level, exclude: new Set(config.audit.excludeEvents),
    maxFileBytes: config.audit.maxFileSizeMb * 1_000_000,
    fileMode: config.audit.groupReadable ? 0o640 : 0o600, directoryMode: config.audit.groupReadable ? 0o750 : 0o700,
    prepare: () => prepareHome(installation),
  });
  return { record: (event) => log.append(event), close: () => log.close() };
}

function metadataOf(installation: Installation): JsonObject {
  const { config, host } = installation;
  return { hostname: host.facts.hostname, pid: host.facts.pid, version, ...Object.fromEntries(config.metadata) };
}

/** Opens a project's agent chain; `record` hears of torn tails. */
export function openProjectChain(installation: Installation, project: { readonly id: string; readonly dir: string }, record: Recorder): AgentChain {
  const { host, home } = installation;
  return openAgentChain({
    disk: host.disk, clock: host.clock, timers: host.timers, lock: host.lock(join(home.run, `agent-chain-${project.id}`)), lockTimeoutMs,
    base: project.dir, path: join(project.dir, '.loki/logs/agent-audit.jsonl'), tornDirectory: join(project.dir, '.loki/logs/torn'),
    onTorn(torn) {
      // Told, not required: the tail itself is kept beside the log whatever becomes of this entry.
      void record({ event: 'audit.recovery', actor: 'system', resource: `project:${project.id}`, details: { file: torn.file, offset: torn.offset, length: torn.length, sha256: torn.sha256, kept_as: torn.keptAs } }).catch(() => undefined);
    },
  });
}
