/** Reads a project's agent chain for people, the newest entry first. Lines that are no entry are passed over: finding damage is verification's task. */
import { isPlainObject, objectIn, type JsonObject } from '../lib/base/json.ts';
import type { Disk } from '../lib/ports.ts';
import { agentChainFiles } from '../lib/audit/agent-files.ts';
import { linesBackward } from '../lib/audit/lines-backward.ts';
import { tryLogFile } from '../lib/audit/log-file.ts';

/** One entry of an agent chain. */
export interface AgentLine extends JsonObject {
  readonly seq: number;
  readonly timestamp: string;
  readonly action: string;
  readonly agent: string;
  readonly branch: string | null;
  readonly details: JsonObject;
}

/** Those of all its files in a directory, compressed or not. One that cannot be inflated is passed over as well. */
export function* agentLines(disk: Disk, directory: string, action: string | undefined): Generator<AgentLine> {
  for (const { name } of agentChainFiles(disk.list(directory)).toReversed()) yield* linesIn(disk, directory, name, action);
}

function* linesIn(disk: Disk, directory: string, name: string, action: string | undefined): Generator<AgentLine> {
  const file = tryLogFile(disk, directory, name);
  if (file === undefined || file === 'unreadable') return;
  try {
    for (const line of linesBackward(file, file.stat().size)) {
      const entry = parse(line);
      if (entry !== undefined && (action === undefined || entry.action === action)) yield entry;
    }
  } finally {
    file.close();
  }
}

function parse(line: Buffer): AgentLine | undefined {
  const value = objectIn(line);
  return isAgentLine(value) ? value : undefined;
}

function isAgentLine(value: unknown): value is AgentLine {
  return isPlainObject(value) && typeof value['seq'] === 'number' && typeof value['timestamp'] === 'string' && typeof value['action'] === 'string'
    && typeof value['agent'] === 'string' && (value['branch'] === null || typeof value['branch'] === 'string') && isPlainObject(value['details']);
}
