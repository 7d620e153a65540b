/** The PATH that tests give to what they start: a coding agent on this machine must not become the provider of a run. */
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const agents: readonly string[] = ['claude', 'codex', 'gemini', 'opencode', 'cursor', 'cursor-agent', 'copilot'];

/** Our own PATH. A directory that holds an agent is stood in for by one with links to all else in it. */
export const testPath: string = (process.env['PATH'] ?? '').split(':').map(withoutAgents).join(':');

/** The directory of this Node.js, likewise. */
export const nodePath: string = withoutAgents(dirname(process.execPath));

function withoutAgents(directory: string): string {
  if (directory === '' || !agents.some((name) => existsSync(join(directory, name)))) return directory;
  const stand = mkdtempSync(join(tmpdir(), 'loki-path-'));
  process.once('exit', () => rmSync(stand, { recursive: true, force: true }));
  for (const name of readdirSync(directory)) if (!agents.includes(name)) symlinkSync(join(directory, name), join(stand, name));
  return stand;
}
