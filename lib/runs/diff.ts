/** What a unified diff of git adds, file by file. Inside a hunk only its counted lines are read, so no content can pose as a header. */

/** Lines that follow one another in the new file. */
export interface Hunk {
  /** Of the first line, from 1. */
  readonly line: number;
  readonly lines: readonly string[];
}

export interface Added {
  /** As git names it, below the repository's top. */
  readonly path: string;
  readonly hunks: readonly Hunk[];
}

/** The added lines of each file in a diff that was made with `--text` (binary files too) and without renames. */
export function addedIn(diff: string): readonly Added[] {
  const files: { path: string; hunks: { line: number; lines: string[] }[] }[] = [];
  let [oldLeft, newLeft, line] = [0, 0, 0];
  for (const text of diff.split('\n')) {
    const file = files.at(-1);
    if (oldLeft > 0 || newLeft > 0) {
      if (text.startsWith('+') && file !== undefined) addLine(file.hunks, line, text.slice(1));
      if (!text.startsWith('+') && !text.startsWith('\\')) oldLeft -= 1;
      if (!text.startsWith('-') && !text.startsWith('\\')) [newLeft, line] = [newLeft - 1, line + 1];
    } else if (text.startsWith('diff --git ')) {
      files.push({ path: headerPath(text), hunks: [] });
    } else if (text.startsWith('+++ ') && file !== undefined && text !== '+++ /dev/null') {
      file.path = unquoted(text.slice(4)).slice(2);
    } else {
      const counts = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
      if (counts !== null) [oldLeft, line, newLeft] = [Number(counts[1] ?? 1), Number(counts[2]), Number(counts[3] ?? 1)];
    }
  }
  return files;
}

function addLine(hunks: { line: number; lines: string[] }[], line: number, text: string): void {
  const last = hunks[hunks.length - 1];
  if (last !== undefined && last.line + last.lines.length === line) last.lines.push(text);
  else hunks.push({ line, lines: [text] });
}

/** `diff --git a/x b/x`: both halves are the same path, as renames are switched off. */
function headerPath(line: string): string {
  const rest = line.slice('diff --git '.length);
  return unquoted(rest.slice(Math.ceil(rest.length / 2))).replace(/^b\//, '');
}

const escapes: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Git quotes paths with control characters, quotes and backslashes as a C string; the tab it adds after names with spaces is no part. */
function unquoted(path: string): string {
  const bare = path.replace(/\t$/, '');
  if (!bare.startsWith('"') || !bare.endsWith('"')) return bare;
  return bare.slice(1, -1).replace(/\\([0-7]{3}|.)/g, (_, code: string) => (code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : escapes[code] ?? code));
}
