/** A text as one word of a shell command that is shown to be typed. */

/** As it stands where no shell sees anything in it, in single quotes otherwise. */
export function shellWord(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
