/**
 * Where else a person may stand than in what a destroyed key closes: every copy this installation knows of, looked into
 * where it can be. A report for the one who answers the request, not a proof that there is nothing more.
 */
import type { Disk } from '../../ports.ts';
import { join } from '../../base/paths.ts';
import { isPlainObject } from '../../base/json.ts';
import { queryLog } from '../../audit/query.ts';
import { listEnrolments } from '../../gate/enrolment.ts';
import type { Installation } from '../installation.ts';
import { openEntries } from './protection.ts';

/** One place. `found` counts files that hold the name; null where this program cannot look. */
export interface Copy {
  readonly what: string;
  readonly where: string;
  readonly found: number | null;
  readonly advice: string;
}

/** So many files of one place are looked into. */
const mostFiles = 100_000;
const deepest = 12;
const chunkBytes = 1 << 20;

/** Every place, in the order in which they are worth looking at. `goOn` is awaited between files, and throws when nobody waits any more. */
export async function findCopies(installation: Installation, name: string, goOn: () => Promise<void>): Promise<readonly Copy[]> {
  const { host: { disk }, home } = installation;
  // As it is, and as JSON spells it.
  const needles = [...new Set([name, JSON.stringify(name).slice(1, -1)])].map((text) => Buffer.from(text));
  const look = async (what: string, where: string, advice: string, depth = deepest): Promise<Copy> => {
    let found = 0;
    let looked = 0;
    for (const path of filesBelow(disk, where, depth)) {
      found += holds(disk, path, needles) ? 1 : 0;
      looked += 1;
      if (looked >= mostFiles) break;
      await goOn();
    }
    return { what, where, found, advice };
  };
  const copies: Copy[] = [];
  for (const { path } of listEnrolments(disk, home.home, home.projects)) {
    copies.push(await look('settings', join(path, '.loki'), 'settings and policies that name people, such as approvers', 0));
    copies.push(await look('agent chain', join(path, '.loki/logs'), 'details may name people; move the file away to begin a new chain, and keep or delete it as the request demands'));
    copies.push(await look('run folders', join(path, '.loki/runs'), 'documents that runs worked on; delete what names the person'));
    copies.push(await look('events', join(path, '.loki/events'), 'delete what names the person'));
    copies.push(await look('session state', join(path, '.loki/state'), 'delete what names the person'));
  }
  copies.push(await look('settings', home.home, 'settings and policies that name people, such as approvers', 0));
  copies.push(await look('blobs', home.blobs, 'details written in clear before the setting; an entry holds only the hash, so the file may be deleted'));
  copies.push(await look('runs, timelines, approvals', home.store, 'the store names who started, steered and decided'));
  copies.push(await look('enrolments', home.projects, 'name who enrolled the project; enrol again as somebody else'));
  copies.push(await look('seals', home.tlog, 'seals of files written before the setting count entries by actor'));
  copies.push(await look('waiting for a receiver', home.spool, 'delete what is not to be sent'));
  copies.push(await look('torn tails', home.torn, 'kept as evidence; delete those that name the person'));
  copies.push(await look('older logs', home.legacy, 'logs of another format, in clear'));
  return [...copies.filter(({ found }) => found !== 0), ...exportsOf(installation), ...outside(installation)];
}

/** Exports that the log of record knows of. */
function exportsOf(installation: Installation): readonly Copy[] {
  const { host: { disk }, home } = installation;
  const paths = new Set<string>();
  for (const { details } of queryLog(disk, home.audit, { event: 'audit.export' }, { opener: openEntries(installation) })) {
    if (!isPlainObject(details)) continue;
    for (const path of [details['path'], details['output'], details['file']]) if (typeof path === 'string') paths.add(path);
  }
  return [...paths].map((path) => ({ what: 'export', where: path, found: null, advice: 'copies of entries as they were readable then; delete it, and ask whoever was given it' }));
}

/** What lies beyond this machine, or beyond what this program may look into. Art 19 GDPR: recipients are told of the erasure. */
function outside({ config, home }: Installation): readonly Copy[] {
  const { siem, integrations, telemetry, audit } = config;
  const notify = 'tell them of the erasure (Art 19 GDPR)';
  const receivers: readonly (readonly [what: string, where: string | undefined])[] = [
    ['syslog receiver', siem.syslog.host], ['Splunk', siem.splunk.hecUrl], ['telemetry receiver', telemetry.endpoint], ...telemetry.destinations.map((each) => ['telemetry receiver', each.endpoint] as const),
    ['Slack', integrations.slack.webhookUrl === undefined ? undefined : 'its webhook'], ['Teams', integrations.teams.webhookUrl === undefined ? undefined : 'its webhook'],
    ['Jira', integrations.jira.url], ['Linear', integrations.linear.apiKey === undefined ? undefined : 'its API'], ['GitHub', integrations.github.sync === true ? 'issues and pull requests' : undefined],
  ];
  return [
    ...receivers.flatMap(([what, where]) => (where === undefined ? [] : [{ what, where: String(where), found: null, advice: notify }])),
    ...(audit.checkpointCopy === undefined ? [] : [{ what: 'checkpoint copies', where: audit.checkpointCopy, found: null, advice: 'hold hashes and sizes, nothing personal; nothing to do' }]),
    { what: 'backups of keys', where: home.ring, found: null, advice: 'a copy of the key opens the entries again: remove it from backups, or change the key that wraps it (loki audit rekey) and destroy the old one' },
    { what: 'copies of the log', where: home.audit, found: null, advice: 'log shippers and backups hold what stands in the files: sealed since the setting, in clear before it' },
    { what: 'the medium', where: home.ring, found: null, advice: 'a deleted file may be recovered from a disk, a snapshot or an SSD\'s spare blocks; keep LOKI_HOME on an encrypted file system' },
  ];
}

/** Plain files in a directory and in those so deep below it, links not followed. */
function* filesBelow(disk: Disk, directory: string, depth: number): Generator<string> {
  for (const name of disk.list(directory)) {
    const path = join(directory, name);
    const kind = disk.stat(path)?.kind;
    if (kind === 'file') yield path;
    else if (kind === 'directory' && depth > 0) yield* filesBelow(disk, path, depth - 1);
  }
}

/** Whether a file holds one of the texts; a compressed one is looked into. One that cannot be read counts as holding them. */
function holds(disk: Disk, path: string, needles: readonly Buffer[]): boolean {
  const longest = Math.max(...needles.map(({ length }) => length));
  try {
    const file = path.endsWith('.gz') ? disk.openGzip(path) : disk.openRead(path);
    if (file === undefined) return false;
    try {
      const { size } = file.stat();
      for (let at = 0; at < size; at += chunkBytes) {
        const bytes = Buffer.from(file.read(at, chunkBytes + longest - 1));
        if (needles.some((needle) => bytes.includes(needle))) return true;
      }
      return false;
    } finally {
      file.close();
    }
  } catch {
    return true;
  }
}
