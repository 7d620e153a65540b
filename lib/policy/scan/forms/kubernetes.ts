/** Secrets of Kubernetes in YAML: a document with `kind: Secret` and values in base64 below `data:`, in either order. */
import { isReference } from '../filler.ts';
import { characters, runEnd } from '../matcher.ts';
import type { Detector, Scan } from '../scan.ts';

/** How far apart the two lines may stand, and how much of the data is looked at. */
const farthest = 4000;
const longestData = 8192;
const leastValue = 8;
const base64 = characters('A-Za-z0-9+/=');

const kind: Detector = {
  text: 'kind:',
  found(scan: Scan, at: number): void {
    if (!beginsLine(scan.text, at)) return;
    const isSecret = /^kind:[ \t]*(["']?)secret\1[ \t]*(?:#.*)?(?:\r?\n|$)/i.test(scan.text.slice(at, at + 60));
    if (!isSecret) return;
    scan.secretKind = at;
    if (scan.dataLine >= scan.documentStart && at - scan.dataLine < farthest) readData(scan, scan.dataLine);
  },
};

const data: Detector = {
  text: 'data:',
  found(scan: Scan, at: number): void {
    if (!beginsLine(scan.text, at) || !/^data:[ \t]*\r?\n/.test(scan.text.slice(at, at + 32))) return;
    scan.dataLine = at;
    if (scan.secretKind >= scan.documentStart && at - scan.secretKind < farthest) readData(scan, at);
  },
};

const separator: Detector = {
  text: '\n---',
  found(scan: Scan, at: number): void {
    scan.documentStart = at;
  },
};

/** Both lines stand at the left edge of a document, or behind a list dash or escape of one. */
function beginsLine(text: string, at: number): boolean {
  return at === 0 || /[\n\r]/.test(text.charAt(at - 1));
}

/** The values of the lines that are indented below `data:`. */
function readData(scan: Scan, at: number): void {
  const { text } = scan;
  if (at < scan.dataDone) return;
  const stop = Math.min(text.length, at + longestData);
  for (let line = text.indexOf('\n', at) + 1; line > 0 && line < stop;) {
    const next = text.indexOf('\n', line);
    const end = next < 0 ? text.length : next;
    if (!/[ \t]/.test(text.charAt(line))) break;
    readLine(scan, line, Math.min(end, line + longestData));
    scan.dataDone = end;
    if (next < 0) break;
    line = next + 1;
  }
}

/** `name: value`, or a value alone below `name: |`. */
function readLine(scan: Scan, line: number, end: number): void {
  const entry = /^[ \t]+(?:["']?[\w.-]+["']?:[ \t]*)?["']?/.exec(scan.text.slice(line, Math.min(end, line + 300)));
  const from = line + (entry?.[0].length ?? 0);
  const stop = runEnd(scan.text, from, base64, end - from);
  const value = scan.text.slice(from, stop);
  if (stop - from < leastValue || value.replace(/=+$/, '').length % 4 === 1 || value.length % 4 !== 0 || !/^["']?[ \t]*(?:#.*)?\r?$/.test(scan.text.slice(stop, end)) || isReference(value)) return;
  scan.report({ rule: 'kubernetes-secret', offset: from, length: stop - from, confidence: 'medium' }, 'own');
}

export const kubernetes: readonly Detector[] = [kind, data, separator];
