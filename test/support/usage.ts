/** Reports of usage for tests of budgets. */
import { newId } from '../../lib/base/ids.ts';
import { noTokens, type TokenCounts, type UsageReport } from '../../lib/budgets/usage.ts';

export const projectId: string = newId('project', 1, new Uint8Array(10));
export const sessionId: string = newId('session', 2, new Uint8Array(10));
/** The test clock's usual time: 2026-02-15T14:30:00.000Z. */
export const noon: number = Date.UTC(2026, 1, 15, 14, 30);

let reports = 0;

/** One call of the agent that used `tokens` of `model`; with another id than every other unless told. */
export function usage(tokens: Partial<TokenCounts>, parts: Partial<UsageReport> & { readonly model?: string | null } = {}): UsageReport {
  const { model = 'm-1', ...rest } = parts;
  reports += 1;
  return {
    id: newId('event', reports, new Uint8Array(10)), at: noon, projectId, sessionId, agent: 'agent', provider: 'claude',
    usage: [{ model, tokens: { ...noTokens, ...tokens } }], calls: 1, unmetered: 0, ...rest,
  };
}
