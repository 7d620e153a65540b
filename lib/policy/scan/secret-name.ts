/**
 * Whether a name says that its value is a secret. The last word decides, after what only tells copies apart is taken off:
 * `db_password_2`, `apiKeyProd` are names of secrets; `token_id`, `key_file`, `password_length` are of something else.
 */

/** How a name ends when it says secret by itself, and when only the word before it makes it one. */
const secretWords: ReadonlySet<string> = new Set(['secret', 'token', 'password', 'passwd', 'pwd', 'passphrase', 'passcode', 'credential', 'credentials', 'creds', 'apikey', 'secretkey', 'accesskey', 'privatekey', 'authkey', 'authtoken', 'accesstoken', 'dbpass', 'userpass', 'auth']);
const passwordWords: ReadonlySet<string> = new Set(['password', 'passwd', 'pwd', 'passphrase', 'passcode', 'dbpass', 'userpass']);
const keyOwners: ReadonlySet<string> = new Set(['api', 'access', 'secret', 'private', 'auth', 'encryption', 'encrypt', 'decryption', 'signing', 'sign', 'signature', 'master', 'account', 'storage', 'shared', 'subscription', 'app', 'application', 'service', 'webhook', 'admin', 'root', 'session', 'cookie', 'jwt', 'hmac', 'aes', 'cipher', 'crypto', 'deploy', 'developer', 'integration', 'ingestion', 'license', 'licence', 'consumer', 'client', 'role', 'anon', 'server', 'rest', 'user', 'account', 'security', 'host']);
/** Words before the last that make it no secret: what pages, parsers and caches call tokens and keys. */
const harmless: ReadonlySet<string> = new Set(['csrf', 'xsrf', 'authenticity', 'public', 'pub', 'next', 'page', 'continuation', 'pagination', 'sync', 'cancel', 'cancellation', 'cancelation', 'syntax', 'lexer', 'start', 'end', 'eof', 'design', 'idempotency', 'confirm', 'verify', 'author']);
/** What only tells copies apart. */
const suffixes: ReadonlySet<string> = new Set(['prod', 'production', 'dev', 'development', 'test', 'testing', 'staging', 'stage', 'live', 'local', 'value', 'val', 'string', 'str', 'text', 'plain', 'raw', 'base64', 'b64', 'hex', 'default', 'new', 'old', 'current', 'primary', 'secondary', 'a', 'b', 'v', 'data']);

const wordPattern = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g;
const longest = 100;

export type SecretName = 'password' | 'secret' | 'key';

/** What the name says, or undefined when it does not say secret. */
export function secretNameOf(name: string): SecretName | undefined {
  const words = Array.from(name.slice(-longest).matchAll(wordPattern), ([word]) => word.toLowerCase());
  while (words.length > 1 && (suffixes.has(words.at(-1) ?? '') || /^\d+$/.test(words.at(-1) ?? ''))) words.pop();
  const [last, before] = [words.at(-1) ?? '', words.at(-2) ?? ''];
  if (harmless.has(before)) return undefined;
  if (passwordWords.has(last)) return 'password';
  if (secretWords.has(last)) return 'secret';
  if (last !== 'key' && last !== 'keys') return undefined;
  return keyOwners.has(before) || keyOwners.has(words.at(-3) ?? '') && before !== 'public' ? 'secret' : last === 'key' && words.length === 1 ? 'key' : undefined;
}
