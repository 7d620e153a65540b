/**
 * A line typed without being shown, from the bytes that a terminal in raw mode hands over: nothing of it is echoed, not even
 * its length. Understands what people do when they cannot see: erase a character, erase all, give up. Keys that send a
 * sequence (arrows and the like) are dropped, so that they do not become part of a passphrase unseen.
 */

/** What became of the line with the bytes just taken. `interrupt`: Ctrl-C. `end`: Ctrl-D on an empty line. */
export type HiddenState = 'typing' | 'done' | 'interrupt' | 'end';

export interface HiddenLine {
  /** Takes bytes up to the one that ends the line; what follows is dropped. */
  take(bytes: Uint8Array): HiddenState;
  /** What was typed, if it is UTF-8. */
  text(): string | undefined;
  /** Overwrites what is held. */
  forget(): void;
}

const [ctrlC, ctrlD, ctrlU, backspace, erase, escape] = [0x03, 0x04, 0x15, 0x08, 0x7f, 0x1b] as const;

/** At most `longest` bytes are kept; those beyond are dropped, and `text` is then undefined. */
export function createHiddenLine(longest: number): HiddenLine {
  const held = new Uint8Array(longest + 1);
  let length = 0;
  let inSequence: 'no' | 'begun' | 'inside' = 'no';
  const put = (byte: number): void => {
    if (length > longest) return;
    held[length] = byte;
    length += 1;
  };
  const eraseLast = (): void => {
    // Bytes 10xxxxxx go on with a character that begins before them.
    while (length > 0 && ((held[length - 1] ?? 0) & 0xc0) === 0x80) length -= 1;
    length = Math.max(0, length - 1);
  };
  const take = (byte: number): HiddenState => {
    if (inSequence === 'begun') {
      inSequence = byte === 0x5b || byte === 0x4f ? 'inside' : 'no';
      return 'typing';
    }
    if (inSequence === 'inside') {
      if (byte >= 0x40 && byte <= 0x7e) inSequence = 'no';
      return 'typing';
    }
    if (byte === 0x0d || byte === 0x0a) return 'done';
    if (byte === ctrlC) return 'interrupt';
    if (byte === ctrlD) return length === 0 ? 'end' : 'typing';
    if (byte === ctrlU) length = 0;
    else if (byte === backspace || byte === erase) eraseLast();
    else if (byte === escape) inSequence = 'begun';
    else if (byte >= 0x20) put(byte);
    return 'typing';
  };
  return {
    take(bytes) {
      for (const byte of bytes) {
        const state = take(byte);
        if (state !== 'typing') return state;
      }
      return 'typing';
    },
    text() {
      if (length > longest) return undefined;
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(held.subarray(0, length));
      } catch {
        return undefined;
      }
    },
    forget: () => { held.fill(0); length = 0; },
  };
}
