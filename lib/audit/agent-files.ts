/**
 * The files of a project's agent chain: `agent-audit.jsonl` is written, and those that are finished stand beside it under
 * the day of their newest entry, `agent-audit-YYYY-MM-DD.jsonl`, further ones of a day as `.1`, `.2` …; `.gz` when
 * compressed. Other names are not ours.
 */

/** One file of an agent chain. */
export interface AgentFileName {
  readonly name: string;
  /** `YYYY-MM-DD`; undefined for the file that is written. */
  readonly day: string | undefined;
  /** 0 for the day's first file. */
  readonly part: number;
  readonly compressed: boolean;
}

/** The file that is written. */
const agentChainFile: string = 'agent-audit.jsonl';

function parseAgentFile(name: string): AgentFileName | undefined {
  if (name === agentChainFile) return { name, day: undefined, part: 0, compressed: false };
  const match = /^agent-audit-(\d{4}-\d{2}-\d{2})(?:\.([1-9]\d{0,8}))?\.jsonl(\.gz)?$/.exec(name);
  if (match === null) return undefined;
  return { name, day: match[1], part: Number(match[2] ?? 0), compressed: match[3] !== undefined };
}

/**
 * The chain's files among the names of a directory, oldest first, the one that is written last; each once: where the plain
 * file stands beside the compressed one, the plain one.
 */
export function agentChainFiles(names: readonly string[]): readonly AgentFileName[] {
  const present = new Set(names);
  const files = names.map(parseAgentFile).filter((file) => file !== undefined);
  return files.filter(({ name, compressed }) => !compressed || !present.has(name.slice(0, -'.gz'.length))).sort(compare);
}

function compare(a: AgentFileName, b: AgentFileName): number {
  if (a.day === b.day) return a.part - b.part;
  if (a.day === undefined || b.day === undefined) return a.day === undefined ? 1 : -1;
  return a.day < b.day ? -1 : 1;
}

/** The name under which a file that ends on `day` is put aside, the next one of that day. */
export function nextAgentFile(names: readonly string[], day: string): string {
  const taken = agentChainFiles(names).filter((file) => file.day === day).map(({ part }) => part);
  const part = taken.length === 0 ? 0 : Math.max(...taken) + 1;
  return `agent-audit-${day}${part === 0 ? '' : `.${part}`}.jsonl`;
}
