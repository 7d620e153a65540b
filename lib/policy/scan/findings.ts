/** From hits to findings: one label for each stretch of text, in order, with its line, and never the text itself. */
import { sureness, type Finding } from '../../base/action.ts';
import { sha256Hex } from '../../base/digest.ts';
import type { Hit, Matcher } from './matcher.ts';

/** More findings in one text than this are not told apart any more. */
export const mostFindings = 1000;

/** What the matchers find, ordered by place. */
export function findAll(text: string, matchers: readonly Matcher[]): readonly Finding[] {
  const hits: Hit[] = [];
  for (const matcher of matchers) {
    const full = hits.length + mostFindings;
    matcher(text, (hit) => {
      if (hits.length < full) hits.push(hit);
    });
  }
  return toFindings(text, hits);
}

/** Overlapping hits become one: the surer, then the longer, then the first. */
export function toFindings(text: string, hits: readonly Hit[]): readonly Finding[] {
  if (hits.length === 0) return [];
  const best = hits.toSorted((a, b) => sureness[b.confidence] - sureness[a.confidence] || b.length - a.length || a.offset - b.offset);
  const kept = withoutOverlaps(best).slice(0, mostFindings);
  let [line, lineStart, seen] = [1, 0, 0];
  return kept.map(({ rule, offset, length, confidence }) => {
    for (let at = text.indexOf('\n', seen); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) [line, lineStart, seen] = [line + 1, at + 1, at + 1];
    return { rule, line, column: offset - lineStart + 1, offset, length, confidence, fingerprint: sha256Hex(text.slice(offset, offset + length)).slice(0, 16) };
  });
}

/** Taken in the order given; whatever touches one already taken is dropped. Returned by place. */
function withoutOverlaps(hits: readonly Hit[]): Hit[] {
  const byPlace = hits.map((hit, order) => ({ hit, order })).sort((a, b) => a.hit.offset - b.hit.offset || a.order - b.order);
  const kept: { hit: Hit; order: number }[] = [];
  for (const next of byPlace) {
    let wins = true;
    for (let last = kept[kept.length - 1]; last !== undefined && last.hit.offset + last.hit.length > next.hit.offset; last = kept[kept.length - 1]) {
      if (last.order < next.order) {
        wins = false;
        break;
      }
      kept.pop();
    }
    if (wins) kept.push(next);
  }
  return kept.map(({ hit }) => hit);
}

/** The text with each finding replaced by the name of its rule. Findings must be of this text and in order. */
export function redact(text: string, findings: readonly Finding[]): string {
  let [clean, at] = ['', 0];
  for (const { rule, offset, length } of findings) {
    clean += `${text.slice(at, offset)}[redacted ${rule}]`;
    at = offset + length;
  }
  return clean + text.slice(at);
}
