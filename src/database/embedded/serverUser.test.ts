import { expect, test } from 'vitest';
import { chooseServerUser } from './serverUser.ts';

const PASSWD = `root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash
holdfast:x:900:901::/var/lib/holdfast:/usr/sbin/nologin
`;
const without = (...names: string[]) => PASSWD.split('\n').filter((line) => !names.includes(line.split(':')[0] ?? '')).join('\n');

test('who is not root runs the server as themselves', () => {
  expect(chooseServerUser(1000, PASSWD)).toBeUndefined();
  expect(chooseServerUser(undefined, '')).toBeUndefined();
});

test('root takes holdfast, then postgres, then nobody', () => {
  expect(chooseServerUser(0, PASSWD)).toEqual({ name: 'holdfast', uid: 900, gid: 901 });
  expect(chooseServerUser(0, without('holdfast'))).toEqual({ name: 'postgres', uid: 101, gid: 104 });
  expect(chooseServerUser(0, without('holdfast', 'postgres'))).toEqual({ name: 'nobody', uid: 65534, gid: 65534 });
});

test('data that belong to a user stay with that user', () => {
  expect(chooseServerUser(0, PASSWD, 65534)?.name).toBe('nobody');
  expect(() => chooseServerUser(0, PASSWD, 4242)).toThrow(expect.objectContaining({ code: 'database/no-user' }));
});

test('without any of them it is said what to do', () => {
  expect(() => chooseServerUser(0, 'root:x:0:0::/root:/bin/sh\n')).toThrow(/useradd --system holdfast/);
  expect(() => chooseServerUser(0, 'nobody:x:0:0::/:/bin/sh\nbroken line\n')).toThrow(expect.objectContaining({ code: 'database/no-user' }));
});
