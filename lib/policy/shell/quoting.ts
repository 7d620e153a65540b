/** Two questions about quoted text in a shell: what an escape stands for, and where a bracket closes. */

/** What stands for the escape `\\body` in `$'…'` (POSIX.1-2024, 2.2.4). */
export function ansiEscape(body: string): string {
  const simple: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', e: '\x1b', E: '\x1b', f: '\f', v: '\v' };
  if (/^[xuU][\da-fA-F]/.test(body)) {
    const code = Number.parseInt(body.slice(1), 16);
    return code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
  }
  if (/^[0-7]/.test(body)) return String.fromCharCode(Number.parseInt(body, 8) & 0xff);
  if (body.startsWith('c')) return String.fromCharCode(body.charCodeAt(1) & 0x1f);
  return simple[body] ?? body;
}

/** Index of the bracket that closes the one before `from`, quotes respected; -1 when there is none. */
export function closingBracket(text: string, from: number): number {
  const open: string[] = ['('];
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    const inside = open[open.length - 1];
    if (char === '\\') at += 1;
    else if (inside === '"') {
      if (char === '"') open.pop();
      else if (char === '$' && text.charAt(at + 1) === '(') {
        open.push('(');
        at += 1;
      }
    } else if (char === "'") {
      at = text.indexOf("'", at + 1);
      if (at < 0) return -1;
    } else if (char === '"' || char === '(') open.push(char);
    else if (char === ')') {
      open.pop();
      if (open.length === 0) return at;
    }
    if (open.length > 1000) return -1;
  }
  return -1;
}
