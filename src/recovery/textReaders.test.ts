import { afterEach, expect, test } from 'vitest';
import { TextReaders, type TextResult } from './textReaders.ts';

const entry = new URL('./testing/badTextWorker.ts', import.meta.url);
const opened: TextReaders[] = [];

function readers(options: { workers?: number; limitMs?: number; signal?: AbortSignal; entry?: URL } = {}): TextReaders {
  const made = new TextReaders({ workers: 2, signal: new AbortController().signal, entry, ...options });
  opened.push(made);
  return made;
}

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const read = (from: TextReaders, text: string): Promise<TextResult> => from.read('mail', Uint8Array.from(Buffer.from(text)));
const said = (text: string) => expect.objectContaining({ text: expect.objectContaining({ text }) });

test('a content that hangs, kills or fills its reader costs itself only', async () => {
  const pool = readers({ limitMs: 400 });
  const answers = await Promise.all(['a', 'hang', 'b', 'die', 'c', 'throw', 'd', 'eat', 'e', 'f'].map((text) => read(pool, text)));
  const code = (value: string) => expect.objectContaining({ code: `search/${value}` });
  // What eats memory may be ended by its time or by its memory.
  const ended = expect.objectContaining({ code: expect.stringMatching(/^search\/(crashed|too-slow)$/) });
  expect(answers).toEqual([said('a'), code('too-slow'), said('b'), code('crashed'), said('c'), code('crashed'), said('d'), ended, said('e'), said('f')]);
});

test('a reader that dies between two contents is not given another', async () => {
  const pool = readers({ workers: 1, limitMs: 10_000 });
  expect(await read(pool, 'later')).toEqual(said('later'));
  for (let round = 0; round < 50; round++) {
    const answer = await read(pool, 'next');
    if ('code' in answer) expect(answer.code).toBe('search/crashed');
    else expect(answer).toEqual(said('next'));
  }
});

test('an abort ends what is being read', async () => {
  const abort = new AbortController();
  const pool = readers({ signal: abort.signal });
  const reading = read(pool, 'hang').catch((error: unknown) => error);
  expect(await read(pool, 'a')).toEqual(said('a'));
  abort.abort(new Error('enough'));
  expect(await reading).toMatchObject({ message: 'enough' });
  await expect(read(pool, 'b')).rejects.toThrow('enough');
});

test('the real reader reads mail, and tells what it cannot read', async () => {
  const pool = new TextReaders({ workers: 1, signal: new AbortController().signal });
  opened.push(pool);
  expect(await read(pool, 'Subject: x\r\n\r\nwords')).toEqual(said('words\n'));
  const nested = Array.from({ length: 100 }, (_, i) => `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n`).join('');
  expect(await read(pool, nested)).toMatchObject({ code: 'search/unreadable' });
  expect(await read(pool, 'Subject: x\r\n\r\nagain')).toEqual(said('again\n'));
});
