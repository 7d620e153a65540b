/**
 * The token that a hook over HTTP shows: `lokihook_`, the id of the project that it asks for, and a secret of 32 bytes. It lets its bearer
 * ask the gate of that project, and nothing else. Kept as a hash: what is stored shows it to nobody.
 */
import { sha256Hex } from './digest.ts';
import { isId } from './ids.ts';

export const hookTokenPrefix = 'lokihook_';

const shape = /^lokihook_(prj_[0-9A-Z]{26})_([A-Za-z0-9_-]{43})$/;

/** The token for a project. `secret` are 32 random bytes. */
export function hookToken(projectId: string, secret: Uint8Array): string {
  return `${hookTokenPrefix}${projectId}_${Buffer.from(secret).toString('base64url')}`;
}

/** The project that a token asks for, whether or not it is one that was given out; undefined for what has another shape. */
export function projectOfHookToken(token: string): string | undefined {
  const id = shape.exec(token)?.[1];
  return id !== undefined && isId('project', id) ? id : undefined;
}

/** What is kept of a token. */
export function hookTokenHash(token: string): string {
  return sha256Hex(token);
}
