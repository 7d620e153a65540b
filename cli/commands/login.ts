/** `loki login`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { loginAddress, loginWithBrowser, loginWithToken, type Login } from '../../lib/app/login.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';
import { askUnseen } from '../passphrase.ts';

export const command: Command = {
  about: 'Signs this command line in at a control plane. It shows a code; a person who is signed in there with a browser types it on the page /device, and the command line gets a key of theirs: for twelve hours, never with the right to approve.\n\nWhere nobody can open a browser, --token takes a key instead, typed unseen or through a pipe. Either is kept in LOKI_HOME/run/login, readable by this account alone.',
  operands: [],
  flags: [
    { name: 'url', kind: 'text', value: 'URL', summary: 'The control plane (LOKI_URL, or the one that runs here)' },
    { name: 'token', kind: 'switch', summary: 'Take a key instead of asking for one' },
  ],
  examples: [['loki login --url https://loki.example.com', 'shows a code, and waits for the browser'], ['loki login --token < key.txt', 'keeps a key that somebody made']],
  exits: [[4, 'refused, expired, or the key is not known'], [8, 'the control plane cannot be reached']],
  run,
};

/** A key is shorter. */
const longestInput = 20_000;
const inputTimeoutMs = 10_000;

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = open(context);
  const url = loginAddress(installation, args.text('url'));
  const login = args.on('token') ? await loginWithToken(installation, url, await givenKey(context)) : await inBrowser();
  if (output.json) output.value({ url: login.url, actor: login.actor, expires_at: login.expiresAt });
  else output.line(`Logged in at ${printable(login.url)} as ${output.out.paint('bold', printable(login.actor))}${login.expiresAt === null ? '' : `, until ${login.expiresAt}`}`);
  return exitCode.done;

  async function inBrowser(): Promise<Login> {
    try {
      return await loginWithBrowser(installation, url, ({ userCode, url: where, expiresInS }) => {
        output.message(`Open ${printable(where)} in a browser where you are signed in, and type the code ${output.err.paint('bold', printable(userCode))}`);
        output.note(`It is good for ${Math.round(expiresInS / 60)} minutes. Ctrl-C gives up.`);
      }, terminal.signal);
    } catch (error) {
      // One that knows no sign-in by browser may still know keys.
      if (!(error instanceof LokiError) || error.code !== 'not_found' || !terminal.inputIsTerminal) throw error;
      output.note('This control plane has no sign-in by browser; a key does as well.');
      return loginWithToken(installation, url, await givenKey(context));
    }
  }
}

async function givenKey({ terminal }: CommandContext): Promise<string> {
  const attempted = 'log in';
  if (terminal.inputIsTerminal) {
    const typed = await askUnseen(terminal, 'Key (loki_…): ', attempted);
    if (typed === undefined) throw new LokiError('usage', { attempted, found: 'no key was typed' });
    return typed.trim();
  }
  const { bytes, ended } = await terminal.readInput(longestInput, inputTimeoutMs);
  if (ended !== 'end') throw new LokiError('usage', { attempted, found: 'standard input holds no key', hint: 'Give it through a pipe: loki login --token < key.txt' });
  return Buffer.from(bytes).toString('utf8').trim();
}
