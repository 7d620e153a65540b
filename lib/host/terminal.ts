/**
 * The process as a command sees it: arguments, environment, the three standard streams, signals, the end. Streams are
 * touched on first use only, because opening them costs a few milliseconds that `loki hook` and `loki --help` do not have.
 * A reader that goes away (EPIPE) is no error: what follows is dropped and the signal aborts. Any other failure to write the
 * result is one, and shows in the exit code.
 */
import * as os from 'node:os';
import { createHiddenLine } from './hidden-input.ts';

/** Where text goes. */
export interface TextSink {
  /** Whether a person is looking. */
  readonly isTerminal: boolean;
  /** Width in characters; 80 where there is none. */
  readonly columns: number;
  write(text: string): void;
}

/** What standard input held, and why reading ended. */
export interface InputResult {
  readonly bytes: Uint8Array;
  readonly ended: 'end' | 'limit' | 'timeout';
}

/** The process's surroundings. */
export interface Terminal {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Working directory, with `/` on every platform. */
  readonly cwd: string;
  /** The account's home directory, with `/` on every platform. */
  readonly homeDirectory: string;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly inputIsTerminal: boolean;
  /** Standard input to its end, to `limit` bytes, or for `timeoutMs`, whichever comes first. */
  readInput(limit: number, timeoutMs: number): Promise<InputResult>;
  /**
   * One line typed after a question (put on stderr); undefined at the end of input, on a signal, and when `withdrawn` aborts.
   * The line of a question without an answer is ended at once. Nothing typed up to the question after a withdrawn one is an
   * answer.
   */
  ask(question: string, withdrawn?: AbortSignal): Promise<string | undefined>;
  /**
   * As `ask`, for a passphrase: nothing of the answer is shown, and nothing typed before the question belongs to it.
   * Undefined also where standard input is no terminal, or what was typed cannot be one (not UTF-8, longer than 1024 bytes).
   */
  askHidden(question: string, withdrawn?: AbortSignal): Promise<string | undefined>;
  /**
   * Aborts on the first SIGINT or SIGTERM, on SIGHUP (the terminal was closed), or when the reader of stdout has gone; the
   * reason is the signal's name or `closed`. Asking for it takes over these signals; a second SIGINT or SIGTERM ends the process at once.
   */
  readonly signal: AbortSignal;
  /** The exit code of a process that ends without `finish`, because nothing is left that it could wait for. */
  unlessFinished(code: number): void;
  /** Called once for an exception or a rejection nobody caught. */
  onCrash(handle: (error: unknown) => void): void;
  /**
   * Waits until both streams have taken everything, then ends the process. `unwritten` stands in for exit code 0 when the
   * result could not be written; 1 when left out.
   */
  finish(code: number, unwritten?: number): Promise<never>;
}

/** How long an answer typed at the terminal may be, in UTF-16 code units. */
const longestAnswer = 4096;

const stopping = new AbortController();
let signalsTaken = false;

/** The real process. */
export const terminal: Terminal = {
  argv: process.argv.slice(2),
  env: process.env,
  get cwd() { return withSlashes(process.cwd()); },
  get homeDirectory() { return withSlashes(os.homedir()); },
  stdout: sink(() => process.stdout, true),
  stderr: sink(() => process.stderr, false),
  get inputIsTerminal() { return process.stdin.isTTY === true; },
  readInput,
  ask,
  askHidden,
  get signal() {
    if (!signalsTaken) takeSignals();
    return stopping.signal;
  },
  unlessFinished(code) {
    process.exitCode = code;
  },
  onCrash(handle) {
    process.once('uncaughtException', handle);
    process.once('unhandledRejection', handle);
  },
  finish,
};

function withSlashes(path: string): string {
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}

const used = new Set<NodeJS.WriteStream>();
/** Why the result could not be written, unless its reader had simply gone. */
let unwrittenBecause: string | undefined;

/** A standard stream that is opened by its first use and forgets what comes after its reader has gone. */
function sink(open: () => NodeJS.WriteStream, endsWork: boolean): TextSink {
  let opened: NodeJS.WriteStream | undefined;
  let gone = false;
  const stream = (): NodeJS.WriteStream => {
    if (opened !== undefined) return opened;
    opened = open();
    used.add(opened);
    opened.on('error', (error: NodeJS.ErrnoException) => {
      gone = true;
      if (opened !== undefined) used.delete(opened);
      if (!endsWork) return;
      if (error.code !== 'EPIPE') unwrittenBecause ??= error.message;
      stopping.abort('closed');
    });
    return opened;
  };
  return {
    get isTerminal() { return stream().isTTY === true; },
    get columns() { return stream().columns || 80; },
    write(text) {
      if (!gone) stream().write(text);
    },
  };
}

async function finish(code: number, unwritten = 1): Promise<never> {
  process.exitCode = code;
  await flush();
  if (unwrittenBecause === undefined) process.exit(code);
  terminal.stderr.write(`error: Cannot write the result to standard output: ${unwrittenBecause}\nhint: Give it a place that takes everything, then run the command again\n`);
  await flush();
  process.exit(code === 0 ? unwritten : code);
}

async function flush(): Promise<void> {
  for (const stream of used) {
    await new Promise<void>((resolve) => { stream.write('', () => resolve()); });
  }
}

function takeSignals(): void {
  signalsTaken = true;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort(name);
    });
  }
  // The shell and the system both send it when a terminal is closed: a second one is no impatience. (That nohup had it ignored, Node undoes.)
  process.on('SIGHUP', () => stopping.abort('SIGHUP'));
}

/** How long the last look at standard input may take. */
const lastLookMs = 100;

function readInput(limit: number, timeoutMs: number): Promise<InputResult> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const { stdin } = process;
    // On a machine that is busy the time may be up before the first look at what has long been there: one more look.
    let timer = setTimeout(() => { timer = setTimeout(() => settle('timeout'), lastLookMs); }, timeoutMs);
    const settle = (ended: InputResult['ended']): void => {
      clearTimeout(timer);
      stdin.off('data', take).off('error', reject).pause();
      resolve({ bytes: Buffer.concat(chunks).subarray(0, limit), ended });
    };
    const take = (chunk: Uint8Array): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) settle('limit');
    };
    stdin.on('data', take).once('end', () => settle('end')).once('error', reject);
  });
}

/** What was typed ahead of the next question. */
let typed = '';
/** Whether a question was withdrawn and none was put since: what is typed meanwhile was meant for the old one. */
let outdated = false;
/** How long a terminal has to hand over what is left of it. */
const forgettingMs = 50;

async function ask(question: string, withdrawn?: AbortSignal): Promise<string | undefined> {
  if (outdated) await forgetTyped();
  const { stdin } = process;
  const { signal } = terminal;
  if (signal.aborted || withdrawn?.aborted === true) return undefined;
  terminal.stderr.write(question);
  return new Promise((resolve) => {
    const settle = (answer: string | undefined): void => {
      stdin.off('data', take).off('end', atEnd).pause();
      signal.removeEventListener('abort', unanswered);
      withdrawn?.removeEventListener('abort', atWithdrawal);
      resolve(answer);
    };
    const unanswered = (): void => {
      terminal.stderr.write('\n');
      settle(undefined);
    };
    const atWithdrawal = (): void => {
      outdated = true;
      unanswered();
    };
    const atEnd = (): void => (typed === '' ? unanswered() : settle(taken(typed.length)));
    const take = (chunk: Uint8Array): void => {
      typed += Buffer.from(chunk).toString('utf8');
      const end = typed.indexOf('\n');
      if (end >= 0 || typed.length > longestAnswer) settle(taken(end >= 0 ? end : longestAnswer));
    };
    signal.addEventListener('abort', unanswered, { once: true });
    withdrawn?.addEventListener('abort', atWithdrawal, { once: true });
    if (stdin.readableEnded) return atEnd();
    // A stream that was paused explicitly, as `settle` does, is not started again by a listener alone.
    stdin.on('data', take).once('end', atEnd).resume();
    if (typed !== '') take(new Uint8Array());
  });
}

/** How long a passphrase may be, in bytes. */
const longestHidden = 1024;

async function askHidden(question: string, withdrawn?: AbortSignal): Promise<string | undefined> {
  const { stdin } = process;
  const { signal } = terminal;
  if (stdin.isTTY !== true || stdin.readableEnded) return undefined;
  await forgetTyped();
  if (signal.aborted || withdrawn?.aborted === true) return undefined;
  const line = createHiddenLine(longestHidden);
  // Before the question: whoever sees it may type at once, and must not see what they type.
  stdin.setRawMode(true);
  terminal.stderr.write(question);
  return new Promise((resolve) => {
    const settle = (answer: string | undefined): void => {
      stdin.off('data', take).off('end', giveUp).pause();
      stdin.setRawMode(false);
      signal.removeEventListener('abort', giveUp);
      withdrawn?.removeEventListener('abort', giveUp);
      line.forget();
      terminal.stderr.write('\n');
      resolve(answer);
    };
    const giveUp = (): void => settle(undefined);
    const take = (chunk: Uint8Array): void => {
      const state = line.take(chunk);
      chunk.fill(0);
      if (state === 'done') settle(line.text());
      else if (state === 'end') giveUp();
      // Without line mode Ctrl-C is a character like any other.
      else if (state === 'interrupt') process.kill(process.pid, 'SIGINT');
    };
    signal.addEventListener('abort', giveUp, { once: true });
    withdrawn?.addEventListener('abort', giveUp, { once: true });
    stdin.on('data', take).once('end', giveUp).resume();
  });
}

/** Half a line stays in the terminal until its end is typed, and would begin the next answer; without line mode it is handed over. */
async function forgetTyped(): Promise<void> {
  outdated = false;
  typed = '';
  const { stdin } = process;
  if (stdin.isTTY !== true || stdin.readableEnded) return;
  // Without line mode Ctrl-C is a character like any other.
  const drop = (chunk: Uint8Array): void => { if (chunk.includes(3)) process.kill(process.pid, 'SIGINT'); };
  stdin.setRawMode(true);
  stdin.on('data', drop).resume();
  await new Promise<void>((resolve) => { setTimeout(resolve, forgettingMs); });
  stdin.off('data', drop).pause();
  stdin.setRawMode(false);
}

/** The first `length` characters of what was typed, which then are gone with the line's end. */
function taken(length: number): string {
  const answer = typed.slice(0, length).replace(/\r$/, '');
  typed = typed.slice(length + 1);
  return answer;
}
