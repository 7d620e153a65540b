/**
 * The names of the log's files: a file a day, `audit-YYYY-MM-DD.jsonl`, and when a day is split by size
 * `audit-YYYY-MM-DD.1.jsonl`, `.2` … in numeric order. Compressed ones end in `.gz`. Other names are not ours.
 */

/** One file of the log. */
export interface LogFileName {
  readonly name: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** 0 for the day's first file. */
  readonly part: number;
  readonly compressed: boolean;
}

/** Reads a name; undefined when it is not one of the log's. */
export function parseLogFileName(name: string): LogFileName | undefined {
  const match = /^audit-(\d{4}-\d{2}-\d{2})(?:\.([1-9]\d{0,8}))?\.jsonl(\.gz)?$/.exec(name);
  const day = match?.[1];
  if (match === null || day === undefined) return undefined;
  return { name, day, part: Number(match[2] ?? 0), compressed: match[3] !== undefined };
}

/** The log's files among the names of a directory, oldest first. */
export function logFiles(names: readonly string[]): readonly LogFileName[] {
  return names.map(parseLogFileName).filter((file) => file !== undefined).sort(compareFiles);
}

export function compareFiles(a: LogFileName, b: LogFileName): number {
  return a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1;
}

export function logFileName(day: string, part: number): LogFileName {
  return { name: `audit-${day}${part === 0 ? '' : `.${part}`}.jsonl`, day, part, compressed: false };
}

/** The UTC day of a time. */
export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/** The name by which entries, seals and statements know a file, compressed or not. */
export function plainName(name: string): string {
  return name.endsWith('.gz') ? name.slice(0, -'.gz'.length) : name;
}
