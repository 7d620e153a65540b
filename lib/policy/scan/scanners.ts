/**
 * The scanners as policy uses them: secrets, personal data, the user's own patterns, redaction. Findings say where and what,
 * never the text. This is the only file of the folder that others need, and it is loaded only where text is judged.
 */
import { sureness, type Finding } from '../../base/action.ts';
import type { Scanners } from '../evaluate.ts';
import { matchUserPattern } from '../patterns.ts';
import { findAll, mostFindings, redact, toFindings } from './findings.ts';
import type { Confidence } from './matcher.ts';
import { personalData } from './pii/pii.ts';
import { secretHits } from './secrets.ts';

export interface SecretOptions {
  /** Whether base64, hexadecimal digits and percent escapes are read as what they say, too. Default: true. */
  readonly decode?: boolean;
  /** The least confidence of what is reported. Default: `low`. */
  readonly minConfidence?: Confidence;
}

/** Credentials in a text. */
export function scanSecrets(text: string, options: SecretOptions = {}): readonly Finding[] {
  const findings = toFindings(text, secretHits(text, options.decode ?? true));
  const least = sureness[options.minConfidence ?? 'low'];
  return least === 0 ? findings : findings.filter(({ confidence }) => sureness[confidence] >= least);
}

/** Personal data in a text. */
export function scanPii(text: string): readonly Finding[] {
  return findAll(text, [personalData]);
}

export { redact };

export const scanners: Scanners = {
  secrets: (text) => scanSecrets(text),
  pii: scanPii,
  patterns: (text, patterns, rule) => toFindings(text, patterns.flatMap((pattern) =>
    matchUserPattern(pattern, text, mostFindings).map(({ offset, length }) => ({ rule, offset, length, confidence: 'medium' as const })))),
  redact: (text) => redact(text, scanSecrets(text)),
};
