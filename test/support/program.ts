/**
 * `node --test` without names starts every file below a folder called test. A file that is a program of its own calls this
 * first: started so, with nothing to do, it ends.
 */
export function endWithoutArguments(): void {
  if (process.argv.length < 3) process.exit(0);
}
