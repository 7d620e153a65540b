/**
 * Figures of the secrets scanner: recall and false reports on the public vectors of gitleaks, findings and speed on clean
 * public source. The corpora are handed in; nothing of them is part of the product.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../lib/base/action.ts';
import { scanSecrets } from '../../lib/policy/scan/scanners.ts';
import { packageRoot } from '../support/root.ts';

/** A line of `gitleaks-tp.jsonl` or `gitleaks-fp.jsonl`. */
export interface SecretVector {
  readonly rule: string;
  readonly text: string;
}

export interface SecretFigures {
  /** Share of the texts that must be found in which anything is found. */
  readonly recall: number;
  /** Rule of the corpus -> texts found and texts there are. */
  readonly byRule: ReadonlyMap<string, { readonly found: number; readonly of: number }>;
  /** Share of the texts that must not be reported in which anything is. */
  readonly falseReports: number;
  /**
   * The same without the texts that speak of another rule's secret: those that stand in the other file, too, and those
   * whose finding is of the other rule's kind, by the corpus's own vectors.
   */
  readonly falseReportsUncontested: number;
  /** Texts reported though they must not be, with the rule that did. */
  readonly reported: readonly (SecretVector & { readonly by: Finding; readonly contested: boolean })[];
  /** What is found in clean source, a megabyte (10^6 characters). */
  readonly findingsPerMegabyte: number;
  readonly clean: readonly { readonly file: string; readonly finding: Finding }[];
  /** Megabytes of clean source a second: the best of some rounds. */
  readonly megabytesPerSecond: number;
}

export function secretFigures(mustFind: readonly SecretVector[], mustNotFind: readonly SecretVector[]): SecretFigures {
  const byRule = new Map<string, { found: number; of: number }>();
  for (const { rule, text } of mustFind) {
    const own = byRule.get(rule) ?? { found: 0, of: 0 };
    byRule.set(rule, { found: own.found + (scanSecrets(text).length > 0 ? 1 : 0), of: own.of + 1 });
  }
  const found = [...byRule.values()].reduce((sum, each) => sum + each.found, 0);
  const isContested = contest(mustFind);
  const reported = mustNotFind.flatMap((vector) => {
    const [by] = scanSecrets(vector.text);
    return by === undefined ? [] : [{ ...vector, by, contested: isContested(vector, by) }];
  });
  const contested = reported.filter((each) => each.contested).length;
  return {
    recall: found / mustFind.length, byRule, reported,
    falseReports: reported.length / mustNotFind.length, falseReportsUncontested: (reported.length - contested) / (mustNotFind.length - contested),
    ...cleanFigures(),
  };
}

/** A text that one rule of the corpus must leave alone may hold what another of its rules must find. */
function contest(mustFind: readonly SecretVector[]): (vector: SecretVector, by: Finding) => boolean {
  const texts = new Set(mustFind.map(({ text }) => text));
  const kinds = new Map<string, Set<string>>();
  for (const { rule, text } of mustFind) for (const finding of scanSecrets(text)) kinds.set(finding.rule, (kinds.get(finding.rule) ?? new Set()).add(rule));
  return ({ rule, text }, by) => texts.has(text) || (!by.rule.startsWith('generic-') && kinds.has(by.rule) && !(kinds.get(by.rule)?.has(rule) ?? false));
}

const rounds = 9;

/** The packages that this one is built with: public source that nobody keeps a secret in. */
export function cleanFiles(): readonly string[] {
  return ['@types/node', '@typescript', 'typescript', 'undici-types', 'tsx', 'c8', 'esbuild'].map((name) => join(packageRoot, 'node_modules', name)).filter((folder) => existsSync(folder)).flatMap(filesBelow);
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && /\.(?:[cm]?[jt]s|json|md)$/.test(entry.name)).map((entry) => join(entry.parentPath, entry.name));
}

function cleanFigures(): Pick<SecretFigures, 'findingsPerMegabyte' | 'clean' | 'megabytesPerSecond'> {
  const files = cleanFiles().map((file) => ({ file, text: readFileSync(file, 'utf8') }));
  const size = files.reduce((sum, { text }) => sum + text.length, 0);
  const clean = files.flatMap(({ file, text }) => scanSecrets(text).map((finding) => ({ file, finding })));
  let fastest = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    for (const { text } of files) scanSecrets(text);
    fastest = Math.min(fastest, performance.now() - begun);
  }
  return { findingsPerMegabyte: clean.length / (size / 1e6), clean, megabytesPerSecond: size / fastest / 1000 };
}
