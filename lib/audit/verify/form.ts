/**
 * Whether a line is spelled as the writer spells entries. The chain says nothing about that where somebody computed a line's
 * hash by hand, and a reader that sees another value in a line than the next reader does is what an attacker looks for.
 */

/** What is odd about an entry's text; undefined when it is spelled as the writer would have: no spaces, each key once, numbers and escapes in one way. */
export function oddityOf(text: string): string | undefined {
  if (text.startsWith('\uFEFF')) return 'it begins with a byte order mark';
  if (text.endsWith('\r')) return 'it ends in CR LF: a program has converted its line ends';
  if (text.trim() === '') return text === '' ? 'an empty line' : 'a line of nothing but spaces';
  try {
    const value: unknown = JSON.parse(text);
    if (JSON.stringify(value) === text) return undefined;
  } catch {
    return 'it is no JSON';
  }
  const key = keyTwice(text);
  return key === undefined ? 'its JSON is not spelled as it is written: spaces, escapes or numbers differ' : `the key ${key} stands in it twice`;
}

/** The first key that one object of a JSON text has twice, in its quotes. The text is JSON. */
function keyTwice(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token.endsWith(':')) {
      const key = token.slice(0, -1).trimEnd();
      const name = String(JSON.parse(key));
      const keys = open.at(-1);
      if (keys?.has(name) === true) return key;
      keys?.add(name);
    }
  }
  return undefined;
}
