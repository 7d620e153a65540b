#!/usr/bin/env node
/**
 * The `loki` command. Everything is loaded inside the try, so that even a broken installation ends in a message and in exit
 * code 2, which every agent's hook interface takes for a no.
 */
try {
  const { start } = await import('./start.ts');
  await start();
} catch (error) {
  process.stderr.write(`error: Cannot run loki: ${error instanceof Error ? error.message : String(error)}\nhint: Install the package again\n`);
  process.exit(2);
}
export {};
