/** Which parts of an event are personal, and whose. */
import type { AuditEvent } from '../entry.ts';

/** A text that is a subject's name as it stands in entries: `user:NAME`, whatever the name. */
export function isSubject(text: unknown): text is string {
  return typeof text === 'string' && text.length > 'user:'.length && text.startsWith('user:');
}

/** Whose entry it is: the user that acted, or the owner of the token that did, where the event says who that is. */
export function subjectOf({ actor, metadata }: AuditEvent): string | undefined {
  const owner = actor.startsWith('token:') ? metadata?.['owner'] : actor;
  return isSubject(owner) ? owner : undefined;
}

/**
 * The log's own events say in clear what they are about, because verifying, sealing and pruning read it with no key; they
 * hold no personal data but their actor, and single names, which are enveloped. An export names places and filters, which
 * nothing reads, and is protected as other events are.
 */
export function hasClearDetails({ event }: AuditEvent): boolean {
  return event.startsWith('audit.') && event !== 'audit.export';
}
