/** One look at one text: what has been found in it, and the little that later places need to know of earlier ones. */
import { mostFindings } from './findings.ts';
import { Runs } from './matcher.ts';
import type { Hit } from './matcher.ts';
import type { Anchor } from './prefilter.ts';

/** Several rules may point at one place before one of them is chosen. */
const mostHits = 4 * mostFindings;

export class Scan {
  readonly text: string;
  readonly runs: Runs;
  readonly hits: Hit[] = [];
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

  report(hit: Hit): void {
    if (this.hits.length < mostHits) this.hits.push(hit);
  }
}

/** What finds one kind of secret where its anchor is. */
export type Detector = Anchor<Scan>;
