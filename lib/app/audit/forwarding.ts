/**
 * Forwarding to a SIEM, as the rest of the program meets it: whether there is something to do, one pass, or a forwarder that
 * runs beside a long-lived process. Loaded by everything that records; what sends is loaded only where a receiver is configured.
 */
import { sha256Hex } from '../../base/digest.ts';
import { join } from '../../base/paths.ts';
import { readState } from '../../audit/forward/cursor.ts';
import type { PassReport } from '../../audit/forward/forwarder.ts';
import type { Recorder } from '../../audit/entry.ts';
import { plainName } from '../../audit/files.ts';
import { readableFiles } from '../../audit/log-file.ts';
import type { Config } from '../../config/config.ts';
import type { Installation } from '../installation.ts';
import { leaveBehind } from './leave-behind.ts';

/** Names of the receivers that are configured, as their files carry them. The same place keeps its name whatever else is set. */
export function receiverIds({ siem: { syslog, splunk } }: Pick<Config, 'siem'>): { readonly syslog: string | undefined; readonly splunk: string | undefined } {
  return {
    syslog: syslog.enabled && syslog.host !== undefined ? `syslog-${shortHash(`${syslog.host}:${syslog.port}`)}` : undefined,
    splunk: splunk.hecUrl === undefined ? undefined : `splunk-${shortHash(splunk.hecUrl)}`,
  };
}

function shortHash(text: string): string {
  return sha256Hex(text).slice(0, 12);
}

/** Where a receiver's state lies. */
export function statePath({ home }: Installation, id: string): string {
  return join(home.spool, `siem-${id}.json`);
}

/** Below which a lock for it is made. */
export function lockPath({ home }: Installation, id: string): string {
  return join(home.run, `siem-${id}`);
}

export function isForwardingConfigured({ config }: Installation): boolean {
  const { syslog, splunk } = receiverIds(config);
  return syslog !== undefined || splunk !== undefined;
}

/** A lock whose holder lives was renewed within this. */
const renewedWithinMs = 6_000;
/** No wait that was written down is longer. */
const longestWaitMs = 15 * 60_000;

/** Whether a receiver has not been sent everything, nobody is at it, and trying makes sense. Costs a few looks at the disk. */
export function isForwardingDue(installation: Installation): boolean {
  const { syslog, splunk } = receiverIds(installation.config);
  return [syslog, splunk].some((id) => id !== undefined && isDue(installation, id));
}

function isDue(installation: Installation, id: string): boolean {
  const { host: { disk, clock }, home } = installation;
  const served = disk.stat(`${lockPath(installation, id)}.lock`);
  if (served !== undefined && Math.abs(clock.now() - served.changedMs) < renewedWithinMs) return false;
  const found = readState({ disk, base: home.home, path: statePath(installation, id) });
  if (found.kind !== 'known') return true;
  const { position, trouble } = found.state;
  const wait = (trouble?.nextTry ?? 0) - clock.now();
  if (wait > 0 && wait <= longestWaitMs) return false;
  const newest = readableFiles(disk, home.audit).at(-1);
  if (newest === undefined) return false;
  // A compressed file's size says nothing about how much is in it; it is never the one being written.
  const isAtEnd = plainName(newest.name) === position.file && (newest.compressed || disk.stat(join(home.audit, newest.name))?.size === position.offset);
  return !isAtEnd;
}

/** A process that is about to end leaves the sending behind, when something is to be sent. Never throws. */
export function leaveSending(installation: Installation): void {
  try {
    if (isForwardingDue(installation)) leaveBehind(installation, ['syslog', 'send', '--linger', '3s', '--quiet']);
  } catch {
    return;
  }
}

/** How long one pass may take, and for how long it waits for more once everything has been sent. */
export interface PassOptions {
  readonly deadlineMs: number;
  readonly lingerMs?: number;
}

/** What this takes of the open log. */
export interface RecordingLog {
  readonly record: Recorder;
}

/** Sends every receiver what it has not got. Never rejects: what went wrong stands in the reports, and in the log as `syslog.error`. */
export async function forwardOnce(installation: Installation, log: RecordingLog, { deadlineMs, lingerMs = 0 }: PassOptions): Promise<readonly PassReport[]> {
  if (!isForwardingConfigured(installation)) return [];
  const { forwarders, forwardPass } = await import('./receivers.ts');
  return Promise.all(forwarders(installation, log.record).map(async (forwarder) => {
    try {
      return await forwardPass(forwarder, { deadlineMs, lingerMs });
    } catch (error) {
      return { receiver: forwarder.receiver.name, sent: 0, done: false, why: error instanceof Error ? error.message : String(error) };
    }
  }));
}

/** Forwarding beside a process that goes on. */
export interface RunningForwarding {
  /** Sends what is there, for two seconds at most, and ends. To be called when nothing more is recorded. */
  stop(): Promise<void>;
}

const lastWordsMs = 2_000;

/** Starts a forwarder for each receiver that is configured; nothing at all where there is none. */
export function startForwarding(installation: Installation, log: RecordingLog): RunningForwarding {
  if (!isForwardingConfigured(installation)) return { stop: () => Promise.resolve() };
  const starting = import('./receivers.ts').then(({ forwarders, startForwarder }) => forwarders(installation, log.record).map(startForwarder));
  // What cannot be started must not end the process that records; `loki syslog test` says what is wrong.
  starting.catch(() => undefined);
  return {
    async stop() {
      const running = await starting.catch(() => []);
      await Promise.all(running.map((forwarder) => forwarder.stop(lastWordsMs)));
    },
  };
}
