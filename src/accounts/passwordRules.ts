import { HoldfastError } from '../domain/index.ts';

const LEAST_DISTINCT = 5;
const LEAST_PART = 4;
/** What most guesses begin with. */
const COMMON = ['password', 'passwort', 'qwerty', 'qwertz', 'azerty', 'letmein', 'welcome', 'iloveyou', 'admin', 'changeme', 'holdfast', 'secret', 'abcdef', '123456', '654321'];

/** What a password must not be made of. */
export interface PasswordOwner {
  readonly email: string;
  readonly name: string;
}

/**
 * Length is the contract's; this refuses what is long and still among the first guesses. No rule asks for kinds of characters: they make passwords
 * worse (NIST SP 800-63B). Errors: `accounts/weak-password`.
 */
export function checkPassword(password: string, { email, name }: PasswordOwner): void {
  const text = password.toLowerCase();
  if (new Set(text).size < LEAST_DISTINCT) throw weak('It repeats a few characters.');
  const known = [email, email.split('@')[0] ?? '', ...name.split(/\s+/), ...COMMON].map((part) => part.toLowerCase()).filter((part) => part.length >= LEAST_PART);
  let rest = text;
  for (const part of known.toSorted((a, b) => b.length - a.length)) rest = rest.replaceAll(part, '');
  if (rest.length * 2 < text.length) throw weak('It is mostly a name, an address or a common word.');
  if (isRow(text)) throw weak('It is a row of characters that follow each other.');
}

/** 'abcdefghijkl', '987654321098': nearly every character is the one after, or before, the one before it. */
function isRow(text: string): boolean {
  const steps = [...text].slice(1).map((character, i) => (character.codePointAt(0) ?? 0) - (text.codePointAt(i) ?? 0));
  return [1, -1].some((step) => steps.filter((one) => one === step).length * 4 >= steps.length * 3);
}

function weak(why: string): HoldfastError {
  return new HoldfastError('accounts/weak-password', 'input', `This password is easy to guess. ${why} Take several words that do not belong together.`);
}
