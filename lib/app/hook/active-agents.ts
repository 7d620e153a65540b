/**
 * How many agents work in a project: one empty file for each, below LOKI_HOME, made and removed as agents say that they begin and end.
 * An agent that dies says nothing; what is older than half a day is not counted, and removed by the next that begins.
 */
import type { Clock, Disk } from '../../ports.ts';
import { sha256Hex } from '../../base/digest.ts';
import { join } from '../../base/paths.ts';

export interface ActivePlace {
  readonly disk: Disk;
  readonly clock: Pick<Clock, 'now'>;
  /** LOKI_HOME and its `run` folder. */
  readonly home: string;
  readonly run: string;
  readonly projectId: string;
}

const longestWorkMs = 12 * 3600_000;

/** The agents that work in the project now, with the one of this session whether or not it ever said so. */
export function activeAgents(place: ActivePlace, sessionId: string): number {
  const { disk, clock } = place;
  const folder = folderOf(place);
  const own = nameOf(sessionId);
  const others = disk.list(folder).filter((name) => name !== own && clock.now() - (disk.stat(join(folder, name))?.modifiedMs ?? 0) < longestWorkMs);
  return others.length + 1;
}

/** The agents that work in all projects now. */
export function countActiveAgents({ disk, clock, run }: Pick<ActivePlace, 'disk' | 'clock' | 'run'>): number {
  const folders = disk.list(join(run, 'agents')).map((project) => join(run, 'agents', project));
  const agents = folders.flatMap((folder) => disk.list(folder).map((name) => join(folder, name)));
  return agents.filter((path) => clock.now() - (disk.stat(path)?.modifiedMs ?? 0) < longestWorkMs).length;
}

/** An agent begins: the session's own, or one that it started. */
export function agentBegins(place: ActivePlace, sessionId: string, workerId?: string): void {
  const { disk, clock, home } = place;
  const folder = folderOf(place);
  disk.ensureDirectory(home, folder, 0o700);
  for (const name of disk.list(folder)) {
    if (clock.now() - (disk.stat(join(folder, name))?.modifiedMs ?? clock.now()) >= longestWorkMs) disk.remove(join(folder, name));
  }
  disk.create(home, join(folder, nameOf(sessionId, workerId)), new Uint8Array(), 0o600);
}

/** It has ended; with the session's own agent all that it started. Gives when it began, where it said so: milliseconds since 1970. */
export function agentEnds(place: ActivePlace, sessionId: string, workerId?: string): number | undefined {
  const { disk } = place;
  const folder = folderOf(place);
  const name = nameOf(sessionId, workerId);
  const beganAt = disk.stat(join(folder, name))?.modifiedMs;
  for (const found of disk.list(folder)) {
    if (found === name || (workerId === undefined && found.startsWith(`${name}.`))) disk.remove(join(folder, found));
  }
  return beganAt;
}

function folderOf({ run, projectId }: ActivePlace): string {
  return join(run, 'agents', projectId);
}

function nameOf(sessionId: string, workerId?: string): string {
  return [sessionId, ...(workerId === undefined ? [] : [workerId])].map((id) => (/^[A-Za-z0-9_-]{1,100}$/.test(id) ? id : `h${sha256Hex(id).slice(0, 32)}`)).join('.');
}
