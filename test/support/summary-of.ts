/** `summarize` to its end at once, for those whom nobody waits for. */
import { summarize, type AuditSummary } from '../../lib/audit/summary.ts';

export function summaryOf(...args: Parameters<typeof summarize>): AuditSummary {
  const counting = summarize(...args);
  for (;;) {
    const { done, value } = counting.next();
    if (done === true) return value;
  }
}
