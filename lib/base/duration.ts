/** Lengths of time as people write them: `500ms`, `30s`, `2m`, `24h`, `7d`, and parts put together as in `1h30m`. */

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Longer texts are refused before they meet the expression. */
const longestText = 32;

/**
 * Milliseconds of a duration. A bare number counts seconds. Undefined when the text is not a duration, is negative, has a
 * unit twice or out of order, or is too large to count exactly.
 */
export function parseDuration(text: string): number | undefined {
  if (text.length === 0 || text.length > longestText) return undefined;
  if (/^\d+$/.test(text)) return exact(Number(text) * 1000);
  const parts = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (parts === null) return undefined;
  const [, d = '0', h = '0', m = '0', s = '0', ms = '0'] = parts;
  return exact(Number(d) * 86_400_000 + Number(h) * 3_600_000 + Number(m) * 60_000 + Number(s) * 1000 + Number(ms));
}

/** The shortest text that `parseDuration` reads as these milliseconds: one unit where it fits (`90s` is `90s`, not `1m30s`). */
export function formatDuration(milliseconds: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = unitMs[unit] ?? 1;
    if (milliseconds >= size && milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return `${milliseconds}ms`;
}

function exact(milliseconds: number): number | undefined {
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}
