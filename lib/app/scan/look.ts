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

/** A text is looked through in pieces, so that the bound on findings in one text leaves nothing out. */
const piece = 256 * 1024;
/** What begins in a piece and ends behind it is found whole: the longest secret is a private key. */
const overhang = 32 * 1024;
/** The words before a number are seen in the piece that holds the number. */
const lead = 256;
/** Hits that overlap count once, so a text that was not looked through to its end may give fewer findings than the bound. */
const suspicious = mostFindings / 8;

/** Everything that is found, by place, with one label for each stretch of text. */
export function* findIn(text: string, wanted: Wanted): Iterable<Finding> {
  let from = 0;
  const lines = lineCounter(text);
  while (from < text.length) {
    const start = Math.max(0, from - lead);
    const all = findInPiece(text.slice(start, from + piece + overhang), wanted.type).map((finding) => ({ ...finding, offset: finding.offset + start }));
    const last = all[all.length - 1];
    const until = all.length >= suspicious && last !== undefined ? Math.min(from + piece, last.offset + last.length) : from + piece;
    let end = Math.max(until, from + 1);
    for (const finding of all) {
      if (finding.offset < from || finding.offset >= until) continue;
      end = Math.max(end, finding.offset + finding.length);
      if (confidences.indexOf(finding.confidence) >= confidences.indexOf(wanted.least)) yield { ...finding, ...lines(finding.offset) };
    }
    from = end;
  }
}

function findInPiece(text: string, type: ScanType): readonly Finding[] {
  const secrets = type === 'pii' ? [] : scanSecrets(text);
  const pii = type === 'secrets' ? [] : scanPii(text);
  return secrets.length === 0 || pii.length === 0 ? [...secrets, ...pii] : toFindings(text, [...secrets, ...pii]);
}

/** Line and column of places that are asked for in order. */
function lineCounter(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  let [line, start, next] = [1, 0, text.indexOf('\n')];
  return (offset) => {
    for (; next >= 0 && next < offset; next = text.indexOf('\n', next + 1)) [line, start] = [line + 1, next + 1];
    return { line, column: offset - start + 1 };
  };
}

/** The text with everything found replaced, however much it is. */
export function redactAll(text: string, wanted: Wanted): { readonly text: string; readonly count: number } {
  const findings = [...findIn(text, wanted)];
  return { text: redact(text, findings), count: findings.length };
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
