/** A terminal without a process: what a command prints is kept, what is typed is given beforehand. */
import type { Terminal } from '../../lib/host/terminal.ts';

export interface FakeOptions {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether a person looks at stdout and stderr, and types. */
  readonly isTerminal?: boolean;
  readonly columns?: number;
  readonly input?: string;
  readonly answers?: readonly string[];
  /** What is typed unseen. */
  readonly passphrases?: readonly string[];
}

export interface FakeTerminal extends Terminal {
  readonly printed: { out: string; err: string };
  readonly stopping: AbortController;
}

export function fakeTerminal(options: FakeOptions = {}): FakeTerminal {
  const printed = { out: '', err: '' };
  const answers = [...(options.answers ?? [])];
  const passphrases = [...(options.passphrases ?? [])];
  const stopping = new AbortController();
  const { isTerminal = false, columns = 80 } = options;
  return {
    printed, stopping, signal: stopping.signal,
    argv: options.argv ?? [], env: options.env ?? {}, cwd: options.cwd ?? '/', homeDirectory: '/nowhere', inputIsTerminal: isTerminal,
    stdout: { isTerminal, columns, write: (text) => { printed.out += text; } },
    stderr: { isTerminal, columns, write: (text) => { printed.err += text; } },
    readInput: () => Promise.resolve({ bytes: new TextEncoder().encode(options.input ?? ''), ended: 'end' }),
    ask(question) {
      printed.err += question;
      return Promise.resolve(answers.shift());
    },
    askHidden(question) {
      printed.err += `${question}\n`;
      return Promise.resolve(passphrases.shift());
    },
    onCrash: () => undefined,
    unlessFinished: () => undefined,
    finish: () => Promise.reject(new Error('a command does not end the process itself')),
  };
}
