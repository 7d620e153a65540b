/**
 * One text looked through for `loki scan`: what is found in it, and what a comment beside it allows. Comments count here and
 * nowhere else: an agent writes them as easily as the secret, so no policy believes them.
 */
import type { Finding } from '../../base/action.ts';
import { mostFindings, toFindings } from '../../policy/scan/findings.ts';
import { piiKinds } from '../../policy/scan/pii/kinds.ts';
import { redact, scanPii, scanSecrets } from '../../policy/scan/scanners.ts';

/** What is looked for. */
export const scanTypes = ['secrets', 'pii', 'all'] as const;
export type ScanType = (typeof scanTypes)[number];
export const confidences = ['low', 'medium', 'high'] as const;
export type Confidence = (typeof confidences)[number];

export interface Wanted {
  readonly type: ScanType;
  /** The least sure that is told. */
  readonly least: Confidence;
}

/** Whether a rule finds personal data, and not secrets. */
const personal: ReadonlySet<string> = new Set(piiKinds.map(({ rule }) => rule));

export function typeOf(rule: string): 'secrets' | 'pii' {
  return personal.has(rule) ? 'pii' : 'secrets';
}

/** One label for each stretch of text, by place. At most `mostFindings` of each type. */
export function findIn(text: string, { type, least }: Wanted): readonly Finding[] {
  const secrets = type === 'pii' ? [] : scanSecrets(text);
  const pii = type === 'secrets' ? [] : scanPii(text);
  const all = secrets.length === 0 || pii.length === 0 ? [...secrets, ...pii] : toFindings(text, [...secrets, ...pii]);
  return all.filter(({ confidence }) => confidences.indexOf(confidence) >= confidences.indexOf(least));
}

/** The text with everything found replaced, however much it is. */
export function redactAll(text: string, wanted: Wanted): { readonly text: string; readonly count: number } {
  let [done, rest, count] = ['', text, 0];
  for (;;) {
    const findings = findIn(rest, wanted);
    count += findings.length;
    const last = findings[findings.length - 1];
    if (last === undefined || findings.length < mostFindings) return { text: done + redact(rest, findings), count };
    const end = last.offset + last.length;
    done += redact(rest.slice(0, end), findings);
    rest = rest.slice(end);
  }
}

const allowance = /\b(?:loki:allow|gitleaks:allow|pragma: ?allowlist[ -]secret)\b/i;
/** A line may be a whole program: a comment speaks for what is near it. */
const reach = 400;

/** Whether a comment on the finding's line allows it. */
export function isAllowed(text: string, { offset, length }: Finding): boolean {
  const before = text.slice(Math.max(0, offset - reach), offset);
  const after = text.slice(offset + length, offset + length + reach);
  return allowance.test(before.slice(before.lastIndexOf('\n') + 1)) || allowance.test(after.split('\n', 1)[0] ?? '');
}
