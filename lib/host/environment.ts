/** The process's environment, and nothing else of it: for whoever must not load more to read a variable. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
