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

export interface ScanOptions {
  /** The least confidence of what is reported. Default: `low`. */
  readonly minConfidence?: Confidence;
}

export interface SecretOptions extends ScanOptions {
  /** Whether base64, hexadecimal digits and percent escapes are read as what they say, too. Default: true. */
  readonly decode?: boolean;
}

/** Credentials in a text. */
export function scanSecrets(text: string, options: SecretOptions = {}): readonly Finding[] {
  return sureOnes(toFindings(text, secretHits(text, options.decode ?? true)), options);
}

/** Personal data in a text. */
export function scanPii(text: string, options: ScanOptions = {}): readonly Finding[] {
  return sureOnes(findAll(text, [personalData]), options);
}

function sureOnes(findings: readonly Finding[], { minConfidence = 'low' }: ScanOptions): readonly Finding[] {
  return minConfidence === 'low' ? findings : findings.filter(({ confidence }) => sureness[confidence] >= sureness[minConfidence]);
}

export { redact };

export const scanners: Scanners = {
  secrets: (text) => scanSecrets(text),
  pii: (text) => scanPii(text),
  patterns: (text, patterns, rule) => toFindings(text, patterns.flatMap((pattern) =>
    matchUserPattern(pattern, text, mostFindings).map(({ offset, length }) => ({ rule, offset, length, confidence: 'medium' as const })))),
  redact: (text) => redact(text, scanSecrets(text)),
};
