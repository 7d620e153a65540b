/** The page on which a person lets a command line sign in as them. It shows who asks and from where before it asks for a yes. */
import { getJson, sendJson } from './api.js';
import { el, fill, notice } from './dom.js';

const [who, ask, code, button, answer] = ['who', 'ask', 'code', 'look', 'answer'].map((id) => document.getElementById(id));

function fail(error) {
  fill(answer, notice('error', 'That did not work', error.message));
}

async function begin() {
  const me = await getJson('/auth/me');
  if (me.kind !== 'session') {
    const way = me.sign_on === null ? 'Exchange a key for a session first.' : el('a', { href: '/auth/login?return_to=/device' }, 'Sign in');
    fill(who, 'Nobody is signed in with this browser. ', way);
    return;
  }
  fill(who, 'Signed in as ', el('b', {}, me.name ?? me.actor), me.name === null ? null : ` (${me.actor})`);
  ask.hidden = false;
  code.focus();
}

async function look() {
  const request = await getJson(`/auth/device?user_code=${encodeURIComponent(code.value.trim())}`);
  const decide = (decision) => () => settle(request, decision).catch(fail);
  fill(answer,
    el('p', {}, el('b', {}, request.client), ` at ${request.address} wants to sign in as you. It has waited since ${new Date(request.started_at).toLocaleTimeString()}.`),
    el('p', {}, 'It gets a key with your rights, but for approving, for twelve hours. Go on only if you started it yourself: whoever sent you a code would get that key.'),
    el('p', {}, el('button', { type: 'button', onclick: decide('approve') }, 'Yes, that is mine'), ' ', el('button', { type: 'button', onclick: decide('deny') }, 'No')));
}

async function settle(request, decision) {
  await sendJson('/auth/device/approve', { user_code: request.user_code, decision });
  ask.hidden = true;
  fill(answer, decision === 'approve' ? notice('good', 'Done', 'The command line is signed in within a few seconds. This page can be closed.') : notice('good', 'Refused', 'The command line gets no key.'));
}

const start = () => { look().catch(fail); };
button.addEventListener('click', start);
code.addEventListener('keydown', (event) => { if (event.key === 'Enter') start(); });
begin().catch(fail);
