/** The log of record, for the API. */
import type { JsonObject } from '../../base/json.ts';
import { renderingOf } from '../../audit/export/render.ts';
import type { AuditService } from '../../server/services.ts';
import type { Installation } from '../installation.ts';
import { exportAsStream } from './export.ts';
import { openReading, recordAccess } from './reading.ts';
import { encrypts, type OpenLog } from './record.ts';
import { verifyAll, verifyDocument } from './verify.ts';

/** Between two verifications that the API starts; callers in between share the last answer. */
const verifyEveryMs = 2_000;

export function auditService(installation: Installation, record: OpenLog['record']): AuditService {
  const { clock, timers } = installation.host;
  let verified: { readonly at: number; readonly document: Promise<JsonObject> } | undefined;
  // Whoever reaches this machine's own address may be anonymous; what is encrypted on disk is not opened for them.
  const read = (anonymous: boolean): ReturnType<typeof openReading> => openReading(installation, undefined, anonymous && encrypts(installation));
  return {
    async *query(filter, anonymous, signal) {
      for (const hit of (await read(anonymous)).search(filter)) {
        signal.throwIfAborted();
        if (hit === undefined) await timers.yield();
        else yield hit.entry;
      }
    },
    access: (by, filter, entries) => recordAccess(installation, record, by, 'api', filter, entries),
    async export({ by, format, filter, signal }) {
      const parts = await exportAsStream(installation, record, { by, format, filter }, { signal });
      const { mediaType, extension } = renderingOf(format);
      return { mediaType, fileName: `audit-${new Date(clock.now()).toISOString().slice(0, 10)}.${extension}`, parts };
    },
    async summary(periodMs, anonymous, tenant) {
      const counting = (await read(anonymous)).summarize({ from: new Date(Math.max(0, clock.now() - periodMs)).toISOString(), ...(tenant === null ? {} : { tenant }) });
      for (;;) {
        const { done, value } = counting.next();
        if (done === true) return value;
        await timers.yield();
      }
    },
    verify() {
      // Verifying reads the whole log; callers that come together, or again at once, share one answer.
      if (verified === undefined || clock.monotonic() - verified.at > verifyEveryMs) {
        const document = verifyAll(installation, { record }).then(verifyDocument);
        verified = { at: clock.monotonic(), document };
        document.catch(() => { verified = undefined; });
      }
      return verified.document;
    },
    async checkpoint() {
      const { checkpointDocument } = await import('./checkpoints.ts');
      return checkpointDocument(installation);
    },
    async proof(seq) {
      const { proofText } = await import('./checkpoints.ts');
      return proofText(installation, seq);
    },
  };
}
