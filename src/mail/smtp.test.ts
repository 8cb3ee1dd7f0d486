import { expect, test } from 'vitest';
import { parseSmtpUrl } from './smtp.ts';

test('an address tells host, port, password and how it is sealed', () => {
  expect(parseSmtpUrl('smtps://me:p%40ss@mail.example.com')).toEqual({ host: 'mail.example.com', port: 465, tls: 'on', local: false, user: 'me', password: 'p@ss' });
  expect(parseSmtpUrl('smtp://me:pw@mail.example.com:587/')).toMatchObject({ port: 587, tls: 'starttls' });
  expect(parseSmtpUrl('smtp://mail.example.com?tls=optional')).toMatchObject({ port: 25, tls: 'optional', user: undefined, password: undefined });
  for (const host of ['localhost', '127.0.0.1', '[::1]']) expect(parseSmtpUrl(`smtp://${host}:2525`)).toMatchObject({ tls: 'optional', local: true });
});

test('what is none, or would send a password in clear text, is refused without citing it', () => {
  for (const url of ['mail.example.com', 'http://u:secret-pw@h', 'smtp://', 'smtp://u:secret-pw@h?tls=optional', 'smtp://h?tls=off', 'smtp://h?secure=false', 'smtp://h/path', 'smtp://u:secret-pw%zz@h']) {
    expect(() => parseSmtpUrl(url)).toThrow(expect.objectContaining({ code: 'mail/bad-url', message: expect.not.stringContaining('secret') }));
  }
});
