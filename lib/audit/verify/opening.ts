/** What the first line of a log file says of itself: only the log's own `audit.open` may, details of other entries are what callers chose. */
import { genesisHash } from '../chain.ts';

export interface Opening {
  /** The file as it was named when it was begun. */
  readonly file: string | undefined;
  readonly previousFile: string | undefined;
  readonly previousHash: string;
  readonly firstSeq: number;
  /** Whether its lines carry no chain hash. */
  readonly unchained: boolean;
}

const longestOpening = 1 << 16;

/** Reads a line as an `audit.open`; undefined when it is none. */
export function readOpening(bytes: Buffer, start: number, end: number): Opening | undefined {
  if (end - start > longestOpening) return undefined;
  const text = bytes.toString('utf8', start, end);
  if (!/^\{"seq":\d{1,16},"timestamp":"[^"]*","event":"audit\.open",/.test(text)) return undefined;
  const member = (name: string): string | undefined => new RegExp(`"${name}":"([^"]{1,200})"`).exec(text)?.[1];
  const previousHash = member('previous_hash');
  return {
    file: /"resource":"file:([^"]{1,200})"/.exec(text)?.[1], previousFile: member('previous_file'),
    previousHash: previousHash !== undefined && /^[0-9a-f]{64}$/.test(previousHash) ? previousHash : genesisHash,
    firstSeq: Number(/"first_seq":(\d{1,16})[,}]/.exec(text)?.[1] ?? Number.NaN), unchained: /"integrity":"off"/.test(text),
  };
}

/** The timestamp a line begins with, after its number; undefined when it has none. */
export function timeOf(bytes: Buffer, start: number, end: number): string | undefined {
  return /^\{"seq":\d{1,16},"timestamp":"([0-9T:.-]{23}Z)"/.exec(bytes.toString('latin1', start, Math.min(end, start + 64)))?.[1];
}
