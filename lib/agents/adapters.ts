/** The adapters, each loaded only when its agent asks: a hook pays for one. */
import type { AgentAdapter, AgentName } from './hook.ts';

/** One agent. */
export interface AgentRow {
  readonly name: AgentName;
  /** As people call it. */
  readonly title: string;
  load(): Promise<{ readonly adapter: AgentAdapter }>;
}

export const agentTable: readonly AgentRow[] = [
  { name: 'claude', title: 'Claude Code', load: () => import('./claude.ts') },
  { name: 'codex', title: 'Codex CLI', load: () => import('./codex.ts') },
  { name: 'gemini', title: 'Gemini CLI', load: () => import('./gemini.ts') },
  { name: 'opencode', title: 'opencode', load: () => import('./opencode.ts') },
  { name: 'cursor', title: 'Cursor', load: () => import('./cursor.ts') },
  { name: 'copilot', title: 'GitHub Copilot', load: () => import('./copilot.ts') },
];
