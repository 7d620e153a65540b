/** Classes of ASCII characters, by code. What is beyond ASCII is none of them. */

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

/** A letter, a digit or `_`: what makes one word with what it touches. */
export function isWord(code: number): boolean {
  return isDigit(code) || isLetter(code) || code === 95;
}
