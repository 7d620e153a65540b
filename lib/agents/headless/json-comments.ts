/** JSON as some agents let people write it: with comments and with a comma after the last member. */

/** The value. Throws what `JSON.parse` throws. */
export function parseWithComments(text: string): unknown {
  const bare = text.replace(/^\uFEFF/, '').replace(/"(?:[^"\\]|\\.)*"|\/\/[^\r\n]*|\/\*[^]*?\*\//g, (part) => (part.startsWith('"') ? part : ' '));
  return JSON.parse(bare.replace(/"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g, (part) => (part.startsWith('"') ? part : '')));
}
