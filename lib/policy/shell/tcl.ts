/** Programs in Tcl, as `expect` and `tclsh` read them: the commands that they start, as a shell would write them. */

const longestProgram = 64 * 1024;
/** Longer lines are not followed. */
const longestLine = 4096;
/** Words that start another program, or that type into one that was started. */
const starts = /(?:^|[;[{\n])[ \t]*(?:catch[ \t]+\{?[ \t]*)?(spawn|exec|system|send(?:_user)?|open)[ \t]+([^\n;]*)/g;
const hidden = /(?:^|[;[{\n])[ \t]*(?:eval|source|uplevel|\$\w+)(?:[ \t]|$)|\\\n/;

export interface TclProgram {
  readonly lines: readonly string[];
  /** It runs text that shows only at run time. */
  readonly unclear: boolean;
}

export function tclProgram(text: string): TclProgram {
  const program = text.slice(0, longestProgram);
  let long = false;
  const lines = [...program.matchAll(starts)].flatMap(([, word, rest = '']) => {
    if (rest.length > longestLine) {
      long = true;
      return [];
    }
    const words = rest.replace(/^(?:-\w+[ \t]+|--[ \t]+)*/, '').replace(/[\]}]+[ \t]*$/, '').replace(/(^|[ \t])\{([^{}]*)\}/g, "$1'$2'");
    if (word === 'send_user') return [];
    if (word === 'open') return /^["'{]?\|/.test(words) ? [words.replace(/^["'{]?\|[ \t]*|["'}][ \t]*\w*$/g, '')] : [];
    // What is typed ends in a return, and a shell may read it.
    return word === 'send' ? [words.replace(/^["']|["']$/g, '').replace(/(?:\\[rn])+/g, '\n')] : [words];
  });
  return { lines, unclear: long || text.length > longestProgram || hidden.test(program) };
}

export function isTcl(program: string): boolean {
  return /^(?:expect|tclsh|wish|jimsh)[\d.]*$/.test(program);
}
