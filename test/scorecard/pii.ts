/**
 * How well personal data is found, on the recogniser vectors of Presidio. A text counts once: found when every span that
 * must be reported is touched by a finding, else missed. What must not be reported counts against us for any finding at all,
 * and so does a finding beside the spans of a text that must.
 */
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import type { Finding } from '../../lib/base/action.ts';
import { scanPii } from '../../lib/policy/scan/scanners.ts';

/** A line of the corpus. Some texts that must be reported come without places; then any finding will do. */
interface Vector {
  readonly rule: string;
  readonly text: string;
  readonly spans?: readonly (readonly [start: number, end: number])[];
}

/**
 * The corpus' kinds that are looked for. Not looked for: what has no form (names, dates, places), vehicle plates, postcodes, web
 * addresses, numbers of companies alone, and documents whose numbers have no check (they are found beside a word that says so).
 */
export const supportedKinds: readonly string[] = [
  'ABA_ROUTING_NUMBER', 'AU_ABN', 'AU_ACN', 'AU_MEDICARE', 'AU_TFN', 'CA_SIN', 'CREDIT_CARD', 'CRYPTO', 'DE_HEALTH_INSURANCE', 'DE_SOCIAL_SECURITY', 'DE_TAX_ID', 'EMAIL_ADDRESS', 'ES_NIE', 'ES_NIF',
  'FI_PERSONAL_IDENTITY_CODE', 'IBAN_CODE', 'IN_AADHAAR', 'IN_GSTIN', 'IN_PAN', 'IP_ADDRESS', 'IT_FISCAL_CODE', 'KR_FRN', 'KR_RRN', 'MAC_ADDRESS', 'MEDICAL_LICENSE', 'PHONE_NUMBER', 'PH_MOBILE_NUMBER',
  'PL_PESEL', 'SE_PERSONNUMMER', 'SG_NRIC_FIN', 'TH_TNIN', 'TR_NATIONAL_ID', 'UK_DRIVING_LICENCE', 'UK_NHS', 'UK_NINO', 'US_ITIN', 'US_MBI', 'US_NPI', 'US_SSN', 'ZA_ID_NUMBER',
];

export interface PiiFigures {
  /** SHA-256 of each corpus file. */
  readonly corpora: Readonly<Record<'tp' | 'fp', string>>;
  readonly supported: { readonly texts: number; readonly found: number; readonly falseReports: number; readonly precision: number; readonly recall: number; readonly f2: number };
  /** Of all texts that must not be reported, whatever kind they are near to. */
  readonly falseTexts: { readonly texts: number; readonly reported: number; readonly share: number };
  readonly byKind: Readonly<Record<string, { readonly texts: number; readonly found: number; readonly falseReports: number }>>;
}

export function piiFigures(tpFile: string, fpFile: string): PiiFigures {
  const [tp, fp] = [readCorpus(tpFile), readCorpus(fpFile)];
  const byKind: Record<string, { texts: number; found: number; falseReports: number }> = {};
  const kind = (rule: string): { texts: number; found: number; falseReports: number } => (byKind[rule] ??= { texts: 0, found: 0, falseReports: 0 });
  for (const vector of tp.vectors) {
    const findings = scanPii(vector.text);
    const tally = kind(vector.rule);
    tally.texts += 1;
    if (isFound(vector, findings)) tally.found += 1;
    tally.falseReports += findingsBeside(vector, findings);
  }
  let reported = 0;
  for (const { rule, text } of fp.vectors) {
    if (scanPii(text).length === 0) continue;
    reported += 1;
    kind(rule).falseReports += 1;
  }
  const sum = (member: 'texts' | 'found' | 'falseReports'): number => supportedKinds.reduce((total, rule) => total + (byKind[rule]?.[member] ?? 0), 0);
  return {
    corpora: { tp: tp.sha256, fp: fp.sha256 },
    supported: { texts: sum('texts'), found: sum('found'), falseReports: sum('falseReports'), ...scores(sum('found'), sum('texts') - sum('found'), sum('falseReports')) },
    falseTexts: { texts: fp.vectors.length, reported, share: reported / fp.vectors.length },
    byKind,
  };
}

/** F2 counts a miss four times as much as a false report. */
function scores(found: number, missed: number, falseReports: number): { precision: number; recall: number; f2: number } {
  return { precision: found / (found + falseReports), recall: found / (found + missed), f2: 5 * found / (5 * found + 4 * missed + falseReports) };
}

function isFound({ spans = [] }: Vector, findings: readonly Finding[]): boolean {
  if (spans.length === 0) return findings.length > 0;
  return spans.every(([start, end]) => findings.some(({ offset, length }) => offset < end && offset + length > start));
}

function findingsBeside({ spans = [] }: Vector, findings: readonly Finding[]): number {
  if (spans.length === 0) return 0;
  return findings.filter(({ offset, length }) => !spans.some(([start, end]) => offset < end && offset + length > start)).length;
}

function readCorpus(file: string): { readonly sha256: string; readonly vectors: readonly Vector[] } {
  const bytes = readFileSync(file);
  const vectors = bytes.toString('utf8').split('\n').filter((line) => line !== '').map((line): Vector => JSON.parse(line));
  return { sha256: createHash('sha256').update(bytes).digest('hex'), vectors };
}
