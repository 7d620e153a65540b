/** JSON as some agents let people write it: with comments and with a comma after the last member. */

/** The value. Throws what `JSON.parse` throws. */
export function parseWithComments(text: string): unknown {
  return JSON.parse(text.replace(/^\uFEFF/, '').replace(/"(?:[^"\\]|\\.)*"|\/\/[^\r\n]*|\/\*[^]*?\*\/|,(?=(?:\s|\/\/[^\r\n]*|\/\*[^]*?\*\/)*[}\]])/g, (part) => (part.startsWith('"') ? part : '')));
}
