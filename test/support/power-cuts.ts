/** The power fails at every step of a story, and everything that may then stand on the disk is looked at. */
import assert from 'node:assert/strict';
import { createFaultFiles, leftovers, PowerCut, type FaultFiles } from './fault-files.ts';
import { stride } from './long.ts';

export interface CutOptions {
  readonly fresh?: () => FaultFiles;
  /** Steps before this one make what the story begins with. */
  readonly firstStep: number;
}

/**
 * Tells the story once to its end, then once for each step and each sort of leftover, cut short there. `done` is what the story
 * puts down as acknowledged; `check` gets the disk as it is when the power is back.
 */
export async function afterEachCut(story: (files: FaultFiles, done: number[]) => Promise<void>, check: (files: FaultFiles, done: readonly number[], where: string) => Promise<void>, { fresh = createFaultFiles, firstStep }: CutOptions): Promise<void> {
  const whole = fresh();
  await story(whole, []);
  assert.ok(whole.steps() >= firstStep, 'there is a step to cut at');
  for (let step = firstStep; step <= whole.steps(); step += stride(3)) {
    for (const leftover of leftovers) {
      const files = fresh();
      files.cutAt(step);
      const done: number[] = [];
      await story(files, done).catch(assertIsCut);
      await check(files.restart(leftover), done, `step ${step} (${files.log().at(-1)}), ${leftover}`);
    }
  }
}

/** The writer says in its own words that it could not write; what it was that failed stands behind that. */
function assertIsCut(error: unknown): void {
  for (let at = error; !(at instanceof PowerCut); at = at.cause) assert.ok(at instanceof Error, String(error));
}
