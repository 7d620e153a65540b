/**
 * The tokens that hooks over HTTP show, one a project, made when such hooks are installed and removed with them. The hash is kept in
 * LOKI_HOME, and with it what the token lets its bearer ask: for which project, and what becomes of an action that needs a person.
 */
import { LokiError } from '../../errors.ts';
import { secretsEqual } from '../../base/digest.ts';
import { hookTokenHash, projectOfHookToken } from '../../base/hook-token.ts';
import { canonicalJson, objectIn, type JsonObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import type { Installation } from '../installation.ts';
import { approvalModes, type ApprovalMode } from './answer.ts';

/** What is kept of a token. */
export interface HookKey {
  readonly sha256: string;
  /** The project's directory. */
  readonly project: string;
  readonly approval: ApprovalMode;
  /** An action that needs a person waits at most so long. */
  readonly waitMs?: number;
}

const largestKey = 1 << 16;

type Place = Pick<Installation, 'host' | 'home'>;

/** What is kept for a project; undefined when it has no token. Throws `record.unsafe` for a file that is none of ours. */
export function readHookKey(place: Place, projectId: string): HookKey | undefined {
  const { host: { disk }, home } = place;
  const path = pathOf(place, projectId);
  const bytes = disk.readRecord(home.home, path, largestKey);
  if (bytes === undefined) return undefined;
  const { sha256, project, approval, wait_ms: waitMs } = objectIn(bytes) ?? {};
  const mode = approvalModes.find((each) => each === approval);
  const isWhole = typeof sha256 === 'string' && typeof project === 'string' && mode !== undefined && (waitMs === undefined || typeof waitMs === 'number');
  if (!isWhole) throw new LokiError('record.unsafe', { attempted: `read ${path}`, found: 'it is not what was written there', hint: 'Run: loki hooks install claude --http' });
  return { sha256, project, approval: mode, ...(waitMs === undefined ? {} : { waitMs }) };
}

/** Keeps it. From now on the token counts. */
export function writeHookKey(place: Place, projectId: string, key: HookKey): void {
  const { host: { disk }, home } = place;
  disk.ensureDirectory(home.home, home.hookTokens, 0o700);
  disk.replace(home.home, pathOf(place, projectId), Buffer.from(`${JSON.stringify(documentOf(key), null, 2)}\n`), 0o600);
}

/** From now on no token of the project counts. */
export function removeHookKey(place: Place, projectId: string): void {
  if (place.host.disk.stat(pathOf(place, projectId)) !== undefined) place.host.disk.remove(pathOf(place, projectId));
}

/** What is kept of a token that counts; undefined for any other text. */
export function keyOfToken(place: Place, token: string): HookKey | undefined {
  const projectId = projectOfHookToken(token);
  const key = projectId === undefined ? undefined : readHookKey(place, projectId);
  return key !== undefined && secretsEqual(key.sha256, hookTokenHash(token)) ? key : undefined;
}

export function sameKey(left: HookKey, right: HookKey): boolean {
  return canonicalJson(documentOf(left)) === canonicalJson(documentOf(right));
}

function documentOf({ sha256, project, approval, waitMs }: HookKey): JsonObject {
  return { version: 1, sha256, project, approval, ...(waitMs === undefined ? {} : { wait_ms: waitMs }) };
}

function pathOf({ home }: Place, projectId: string): string {
  return join(home.hookTokens, `${projectId}.json`);
}
