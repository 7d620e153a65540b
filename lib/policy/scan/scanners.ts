/**
 * The scanners as policy uses them: secrets, personal data, the user's own patterns, redaction. Findings say where and what,
 * never the text. This is the only file of the folder that others need, and it is loaded only where text is judged.
 */
import type { Finding } from '../../base/action.ts';
import type { Scanners } from '../evaluate.ts';
import { matchUserPattern } from '../patterns.ts';
import { assignmentMatcher } from './assignment.ts';
import { cloudMatchers } from './cloud.ts';
import { codeMatchers } from './code.ts';
import { findAll, mostFindings, redact, toFindings } from './findings.ts';
import type { Matcher } from './matcher.ts';
import { piiMatchers } from './pii/pii.ts';
import { serviceMatchers } from './services.ts';
import { structureMatchers } from './structures.ts';

const secretMatchers: readonly Matcher[] = [...structureMatchers, ...cloudMatchers, ...codeMatchers, ...serviceMatchers, assignmentMatcher];

/** Credentials in a text. */
export function scanSecrets(text: string): readonly Finding[] {
  return findAll(text, secretMatchers);
}

/** Personal data in a text. */
export function scanPii(text: string): readonly Finding[] {
  return findAll(text, piiMatchers);
}

export { redact };

export const scanners: Scanners = {
  secrets: scanSecrets,
  pii: scanPii,
  patterns: (text, patterns, rule) => toFindings(text, patterns.flatMap((pattern) =>
    matchUserPattern(pattern, text, mostFindings).map(({ offset, length }) => ({ rule, offset, length, confidence: 'medium' as const })))),
  redact: (text) => redact(text, scanSecrets(text)),
};
