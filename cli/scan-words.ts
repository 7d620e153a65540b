/** What `loki scan` prints. A path is shown from the directory that was scanned, and never as a terminal would act on it. */
import { isAbsolute } from '../lib/base/paths.ts';
import { relativeTo } from '../lib/app/scan/baseline.ts';
import type { Found } from '../lib/app/scan/scan.ts';
import type { Totals } from '../lib/app/scan/totals.ts';
import { bytes, count } from '../lib/app/doctor/check.ts';
import { columns, printable, type Colour, type Look } from './output.ts';

const colours: Readonly<Record<Found['confidence'], Colour>> = { high: 'red', medium: 'yellow', low: 'dim' };
const mostNamed = 5;

/** `path:line:column rule confidence fingerprint`. */
export function findingLine({ path, line, column, rule, confidence, fingerprint }: Found, base: string, { paint }: Look): string {
  return `${shownPath(path, base)}:${line}:${column} ${paint(colours[confidence], `${rule} ${confidence}`)} ${fingerprint}`;
}

/** As it is seen from `base`, when it lies below. */
export function shownPath(path: string, base: string): string {
  return printable(plainPath(path, base));
}

function plainPath(path: string, base: string): string {
  return isAbsolute(path) && path.startsWith(base === '/' ? '/' : `${base}/`) ? relativeTo(base, path) : path;
}

/** The result as one value (docs/formats/scan.md). */
export function scanDocument(found: readonly Found[], totals: Totals, base: string): object {
  const { files, allowed, known, skipped, crowded, ungoverned } = totals;
  const plain = (path: string): string => plainPath(path, base);
  return {
    findings: found.map(({ path, line, column, endLine, endColumn, type, rule, confidence, fingerprint }) =>
      ({ path: plain(path), line, column, end_line: endLine, end_column: endColumn, type, rule, confidence, fingerprint })),
    summary: {
      findings: found.length, files, bytes: totals.bytes, allowed, in_baseline: known, incomplete: crowded.map(plain), without_git: ungoverned.map(plain),
      skipped: { binary: skipped.binary, links: skipped.links, large: skipped.large.map(plain), unreadable: skipped.unreadable.map(({ path, because }) => ({ path: plain(path), because })) },
    },
  };
}

/** What to do about what was found. */
export function scanHint(look: Look): string {
  return `${look.paint('cyan', 'hint:')} Take out what should not be there, and revoke secrets that were ever committed. What may stay: a comment loki:allow on its line, or --write-baseline FILE`;
}

/** How much was looked at, what was found by rule, what was passed over. */
export function summaryLines(found: readonly Found[], totals: Totals, base: string, look: Look): readonly string[] {
  const scanned = `${count(totals.files, 'file')} (${bytes(totals.bytes)})`;
  const holders = new Set(found.map(({ path }) => path)).size;
  return [
    found.length === 0 ? look.paint('green', `Nothing found in ${scanned}.`) : look.paint('bold', `${count(found.length, 'finding')} in ${holders} of ${scanned}:`),
    ...byRule(found, base),
    ...passedOver(totals, base),
    ...totals.ungoverned.map((path) => `${shownPath(path, base)} has a .git, and git does not take it for a repository of yours: files that it ignores were scanned, too.`),
    ...totals.crowded.map((path) => `${shownPath(path, base)} has more findings than are listed.`),
  ];
}

function byRule(found: readonly Found[], base: string): readonly string[] {
  return columns([...grouped(found)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([rule, each]) => [`  ${rule}`, String(each.length), named([...new Set(each.map(({ path }) => path))], base)]));
}

function grouped(found: readonly Found[]): ReadonlyMap<string, readonly Found[]> {
  const rules = new Map<string, Found[]>();
  for (const each of found) {
    const known = rules.get(each.rule);
    if (known === undefined) rules.set(each.rule, [each]);
    else known.push(each);
  }
  return rules;
}

function named(paths: readonly string[], base: string): string {
  const shown = paths.slice(0, mostNamed).map((path) => shownPath(path, base)).join(', ');
  return paths.length > mostNamed ? `${shown} and ${paths.length - mostNamed} more` : shown;
}

function passedOver({ skipped, allowed, known }: Totals, base: string): readonly string[] {
  const over = [
    ...(skipped.binary > 0 ? [count(skipped.binary, 'binary file')] : []),
    ...(skipped.links > 0 ? [count(skipped.links, 'link')] : []),
    ...(skipped.large.length > 0 ? [`${count(skipped.large.length, 'file')} larger than --max-size (${named(skipped.large, base)})`] : []),
  ];
  const accepted = [...(allowed > 0 ? [`${allowed} by a comment`] : []), ...(known > 0 ? [`${known} by the baseline`] : [])];
  return [...(over.length > 0 ? [`Passed over: ${over.join(', ')}.`] : []), ...(accepted.length > 0 ? [`Allowed: ${accepted.join(', ')}.`] : [])];
}
