/**
 * The token of a run's own process: `lokirun_`, the id of the run, and a secret of 32 bytes. It lets its bearer append to the timeline of
 * that run while the run has not ended, and nothing else. Kept as a hash: what is stored shows it to nobody.
 */
import { sha256Hex } from './digest.ts';
import { isId } from './ids.ts';

export const runTokenPrefix = 'lokirun_';

const shape = /^lokirun_(run_[0-9A-Z]{26})_([A-Za-z0-9_-]{43})$/;

/** The token for a run. `secret` are 32 random bytes. */
export function runToken(runId: string, secret: Uint8Array): string {
  return `${runTokenPrefix}${runId}_${Buffer.from(secret).toString('base64url')}`;
}

/** The run that a token is for, whether or not it is one that was given out; undefined for what has another shape. */
export function runOfToken(token: string): string | undefined {
  const id = shape.exec(token)?.[1];
  return id !== undefined && isId('run', id) ? id : undefined;
}

/** What is kept of a token. */
export function runTokenHash(token: string): string {
  return sha256Hex(token);
}
