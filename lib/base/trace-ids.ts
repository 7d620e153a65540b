/**
 * Ids of traces and spans that several processes must agree on without having met: the hooks of one session, the start and the
 * end of one call. They are SHA-256 of what both know, so they are no secret and nothing may rest on them.
 */
import { sha256Hex } from './digest.ts';

/** Of `session:<id>`, `run:<id>`. */
export function traceIdOf(subject: string): string {
  return sha256Hex(`loki trace ${subject}`).slice(0, 32);
}

/** Of a subject within a trace: `session`, `call:<id>`. */
export function spanIdOf(traceId: string, subject: string): string {
  return sha256Hex(`loki span ${traceId} ${subject}`).slice(0, 16);
}
