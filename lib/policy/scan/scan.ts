/** One look at one text: what has been found in it, and the little that later places need to know of earlier ones. */
import { mostFindings } from './findings.ts';
import { Runs } from './matcher.ts';
import type { Hit } from './matcher.ts';
import type { Anchor } from './prefilter.ts';

/** Several rules may point at one place before one of them is chosen. */
const mostHits = 4 * mostFindings;

/**
 * What a hit rests on: the credential's own form, the name of its vendor beside it, or what may stand around any credential.
 * The better one says what it is where two are about the same place.
 */
export type Ground = 'own' | 'named' | 'general';

export class Scan {
  readonly text: string;
  readonly runs: Runs;
  readonly #hits: Record<Ground, Hit[]> = { own: [], named: [], general: [] };
  /** Shape -> end of the last stretch of the text that was judged by it. */
  readonly judged: Map<object, number> = new Map();
  /** Where the last of each stood, or -1: the word `curl`, a line `kind: Secret`, a line `data:`, a line `---`. */
  curl = -1;
  secretKind = -1;
  dataLine = -1;
  documentStart = 0;
  /** Everything before has been looked at for the data of a Kubernetes secret. */
  dataDone = 0;
  /** End of the last name that was judged as that of a secret. */
  nameDone = -1;

  constructor(text: string) {
    this.text = text;
    this.runs = new Runs(text);
  }

  report(hit: Hit, ground: Ground): void {
    if (this.#hits[ground].length < mostHits) this.#hits[ground].push(hit);
  }

  /** All hits, without those about places of which a better one speaks with some confidence. */
  hits(): readonly Hit[] {
    const { own, named, general } = this.#hits;
    const better = [...own, ...outside(named, own)];
    return [...better, ...outside(general, better)];
  }
}

/** The hits that lie beside all the others, the unsure ones of those aside. */
export function outside(hits: readonly Hit[], others: readonly Hit[]): readonly Hit[] {
  if (hits.length === 0 || others.length === 0) return hits;
  const taken = others.filter(({ confidence }) => confidence !== 'low').toSorted((a, b) => a.offset - b.offset);
  let at = 0;
  return hits.toSorted((a, b) => a.offset - b.offset).filter(({ offset, length }) => {
    for (let next = taken[at]; next !== undefined && next.offset + next.length <= offset; next = taken[at]) at += 1;
    const next = taken[at];
    return next === undefined || next.offset >= offset + length;
  });
}

/** What finds one kind of secret where its anchor is. */
export type Detector = Anchor<Scan>;
