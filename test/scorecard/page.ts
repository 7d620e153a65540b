/** The scorecard as the page docs/scorecard.md. */
import type { PiiFigures } from './pii.ts';
import type { SecretFigures } from './secrets.ts';
import type { ShellCase, ShellScore } from './shell.ts';
import type { Speed } from './speed.ts';

export interface Scorecard {
  readonly corpora: readonly { readonly file: string; readonly lines: number; readonly sha256: string }[];
  readonly machine: string;
  readonly shell?: ShellScore;
  readonly secrets?: SecretFigures;
  readonly pii?: PiiFigures;
  readonly speed: readonly Speed[];
}

export function scorecardText({ corpora, machine, shell, secrets, pii, speed }: Scorecard): string {
  return `${[
    '# Scorecard',
    'Written by `npm run scorecard` from public corpora, which are not part of this repository: data of gitleaks, Presidio, destructive_command_guard and claude-code-safety-net, all under the MIT licence. `--corpora DIR` names another folder.',
    table(['corpus', 'lines', 'SHA-256'], corpora.map(({ file, lines, sha256 }) => [`\`${file}\``, String(lines), `\`${sha256}\``])),
    ...(shell === undefined ? [] : shellPart(shell)),
    ...(secrets === undefined ? [] : secretsPart(secrets)),
    ...(pii === undefined ? [] : piiPart(pii)),
    '## Speed',
    `The best of several rounds on one machine (${machine}). \`npm run bench\` measures the same against a floor.`,
    table(['', 'measured', 'promised'], speed.map(({ what, measured, promised, kept }) => [what, kept ? measured : `**${measured}, missed**`, promised])),
  ].join('\n\n')}\n`;
}

function shellPart({ deny, allow, noCrash, denied, stoppedByApproval, missed, stated, overblocked, asked, crashed }: ShellScore): readonly string[] {
  return [
    '## Shell commands',
    'Judged by the policy that `loki init` writes, with the built-in rules, in a project at `/home/u/p`.',
    table(['', 'commands', 'figure'], [
      ['dangerous: denied', String(deny), `${denied} (${percent(denied / deny)})`],
      ['dangerous: put before a person', String(deny), `${stoppedByApproval} (${percent(stoppedByApproval / deny)})`],
      ['dangerous: let through on purpose, listed below', String(deny), String(stated.length)],
      ['dangerous: let through', String(deny), String(missed.length)],
      ['harmless: denied', String(allow), String(overblocked.length)],
      ['harmless: put before a person', String(allow), `${asked.length} (${percent(asked.length / allow)})`],
      ['judging threw', String(deny + allow + noCrash), String(crashed.length)],
    ]),
    ...cases('Let through on purpose: stated disagreements', stated.map((one) => ({ ...one, reason: one.why }))),
    ...cases('Let through', missed),
    ...cases('Denied though harmless', overblocked),
    ...cases('Asked about though harmless', asked),
  ];
}

function cases(title: string, list: readonly ShellCase[]): readonly string[] {
  if (list.length === 0) return [];
  return [`### ${title}`, list.map(({ text, reason, sources_disagree: disagree, known_gap_of_source: gap, cwd_dependent: dependent }) => {
    const notes = [disagree === true ? 'its sources disagree' : '', gap === true ? 'a known gap of its source' : '', dependent === true ? 'depends on the directory' : ''].filter((note) => note !== '');
    return `- ${inCode(text)}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}: ${cell(reason.slice(0, 160))}`;
  }).join('\n')];
}

function secretsPart({ recall, byRule, falseReports, falseReportsUncontested, reported, findingsPerMegabyte, clean }: SecretFigures): readonly string[] {
  const incomplete = [...byRule].filter(([, { found, of }]) => found < of);
  return [
    '## Secrets',
    table(['', 'measured', 'promised'], [
      ['texts with a secret in which something is found', percent(recall), 'at least 95 %'],
      ['texts without one that are reported', percent(falseReports), 'at most 3 %'],
      ['the same, without texts that another rule of the corpus must find', percent(falseReportsUncontested), ''],
      ['findings a megabyte of clean source', findingsPerMegabyte.toFixed(2), 'under 1'],
    ]),
    `Kinds of the corpus that are found in full: ${byRule.size - incomplete.length} of ${byRule.size}. Not in full: ${incomplete.map(([rule, { found, of }]) => `${rule} ${found}/${of}`).join(', ') || 'none'}.`,
    `Reported though they must not be: ${reported.map(({ rule, by, contested }) => `${rule} as ${by.rule}${contested ? ' (contested)' : ''}`).join(', ') || 'none'}.`,
    `Found in clean source: ${[...new Set(clean.map(({ file, finding }) => `${finding.rule} in ${file.slice(file.lastIndexOf('/node_modules/') + 14)}`))].slice(0, 20).join(', ') || 'nothing'}.`,
  ];
}

function piiPart({ supported, falseTexts, byKind }: PiiFigures): readonly string[] {
  const { texts, found, precision, recall, f2 } = supported;
  return [
    '## Personal data',
    table(['', 'measured', 'promised'], [
      [`F2 over the supported kinds (${found} of ${texts} texts found)`, f2.toFixed(3), 'at least 0.85'],
      ['precision, recall', `${precision.toFixed(3)}, ${recall.toFixed(3)}`, ''],
      [`texts that must not be reported and are (${falseTexts.reported} of ${falseTexts.texts}, of all kinds)`, percent(falseTexts.share), 'at most 5 %'],
    ]),
    'A text counts as found when every span of it is met by a finding. Findings beside the spans, and any finding in a text that must not be reported, are false.',
    table(['kind', 'texts', 'found', 'false'], Object.entries(byKind).toSorted(([a], [b]) => a < b ? -1 : 1).map(([kind, figures]) => [kind, String(figures.texts), String(figures.found), String(figures.falseReports)])),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/[\r\n]+/g, ' ');
}

function inCode(text: string): string {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return `\`\` ${shown.replace(/[\r\n]+/g, '↵').replaceAll('``', '` `')} \`\``;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
