import { expect, test } from 'vitest';
import { renderLetter } from './renderLetter.ts';

test('both forms say all of it, and the text keeps to the width of a line', () => {
  const letter = {
    subject: 'Set a new password', name: 'Zoë O’Brien-Smith', paragraphs: ['One sentence that is long enough to be wrapped, since it goes on and on until it does not fit any more.'],
    button: { label: 'Set it', url: 'https://backup.example.com/reset?token=abc&x=1' }, notes: ['It holds for 24 hours.'],
  };
  const { subject, text, html } = renderLetter(letter);
  expect(subject).toBe(letter.subject);
  expect(text).toBe(`Hello Zoë O’Brien-Smith,

One sentence that is long enough to be wrapped, since it goes on and on
until it does not fit any more.

Set it:
https://backup.example.com/reset?token=abc&x=1

It holds for 24 hours.

-- 
Holdfast
`);
  for (const part of ['Hello Zoë O’Brien-Smith,', letter.paragraphs[0], letter.notes[0], 'https://backup.example.com/reset?token=abc&amp;x=1', '<html lang="en">']) expect(html).toContain(part);
  expect(html).not.toMatch(/<(img|script|link|iframe)|url\(/);
});

test('what somebody typed is text, and no name that holds an address is greeted by', () => {
  const { html, text } = renderLetter({ subject: 'A <b> & "c"', name: 'Win at evil.example', paragraphs: ['<script>alert(1)</script>'] });
  expect(text).toContain('Hello,\n');
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).toContain('A &lt;b&gt; &amp; &quot;c&quot;');
  for (const name of ['http://evil.example', 'a@b.c', 'x\ny', 'evil.example', 'A'.repeat(61), '<b>']) expect(renderLetter({ subject: 's', name, paragraphs: [] }).text).toMatch(/^Hello,\n/);
  for (const name of ['Dr. J. Smith', 'Анна', '山田 太郎', "D'Arcy"]) expect(renderLetter({ subject: 's', name, paragraphs: [] }).text).toContain(`Hello ${name},`);
});
