import { expect, test } from 'vitest';
import { checkPassword } from './passwordRules.ts';

const owner = { email: 'alice.weber@example.test', name: 'Alice Weber' };
const weak = expect.objectContaining({ code: 'accounts/weak-password' });

test.each(['aaaaaaaaaaaa', 'abababababab', 'Password1234', 'passwordpassword', '123456123456', 'alice.weber1', 'Alice-Weber-1', 'alice.weber@example.test', 'abcdefghijkl', '987654321098', 'qwertyqwerty12'])(
  '%s is refused', (password) => {
    expect(() => checkPassword(password, owner)).toThrow(weak);
  });

test.each(['correct horse battery', 'Tr0ub4dor&3-again', 'ein langer satz mit alice', '漢字かな交じり文の長い合言葉', 'x9$kPq2!vLm7'])('%s is taken', (password) => {
  expect(() => checkPassword(password, owner)).not.toThrow();
});
