/**
 * Whether whoever asked still waits for the answer. An agent that was killed leaves its hook behind, below another parent; an approval that
 * comes then would be used up for a call that never happens.
 */
import type { ProcessFacts, Timers } from '../../ports.ts';

/** The shell, the one in it for the answer's words, `timeout`, and the agent: who is further up may go. */
const levels = 4;
const everyMs = 1000;

/** Aborts once somebody between this process and the agent is gone. `stop` ends looking. */
export function watchAsker({ facts, timers }: { readonly facts: Pick<ProcessFacts, 'ancestors'>; readonly timers: Pick<Timers, 'every'> }): { readonly signal: AbortSignal; readonly stop: () => void } {
  const gone = new AbortController();
  const above = facts.ancestors(levels).join();
  const stop = timers.every(everyMs, () => { if (facts.ancestors(levels).join() !== above) gone.abort('the agent is gone'); });
  return { signal: gone.signal, stop };
}
