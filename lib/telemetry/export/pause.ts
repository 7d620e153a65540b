/** How long to wait before a receiver is tried again: what it asks for, or longer and longer pauses, so that many senders do not come back at once. Pure. */

const second = 1000;
/** The first pause; each is twice the one before. */
const firstMs = second;
const longestMs = 30 * second;
/** A receiver that asks for more is asked again all the same: an hour off by a factor of a thousand must not cost a day. */
const longestAskedMs = 10 * 60 * second;

/**
 * Milliseconds to wait after so many failures in a row, at least 1. `lot` is from 0 to below 1: a pause is up to a fifth shorter or longer, and one that the
 * receiver asked for never shorter.
 */
export function pauseMs(failures: number, lot: number, askedMs: number | undefined): number {
  const usual = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 16));
  if (askedMs === undefined) return Math.round(usual * (0.8 + 0.4 * lot));
  return Math.round(Math.max(firstMs, Math.min(askedMs, longestAskedMs)) * (1 + 0.2 * lot));
}

/** An HTTP date in the form that is sent (RFC 9110 section 5.6.7): `Date.parse` alone finds dates in any text. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** `Retry-After` (RFC 9110 section 10.2.3) in milliseconds from now, 0 when it is past; undefined when it is neither seconds nor a date. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,15}$/.test(text)) return Number(text) * second;
  if (!httpDate.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
