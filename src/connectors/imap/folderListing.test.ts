import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { listFolders } from './folderListing.ts';
import { ImapConnection } from './imapConnection.ts';

const signal = new AbortController().signal;
let server: Server | undefined;
afterEach(() => server?.close());

interface Connected {
  readonly connection: ImapConnection;
  readonly commands: readonly string[];
}

/** A server that answers as Cyrus 3.6.1 does: LIST and STATUS in one, with these bytes as ids. */
async function connect(ids: Readonly<Record<string, string>>): Promise<Connected> {
  const commands: string[] = [];
  const capabilities = 'CAPABILITY IMAP4rev1 LIST-EXTENDED LIST-STATUS OBJECTID SASL-IR AUTH=PLAIN';
  const listing = (withIds: boolean): string => Object.entries(ids).map(([name, id]) => `* LIST () "/" ${name}\r\n`
    + `* STATUS ${name} (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 5${withIds ? ` MAILBOXID (${id})` : ''})\r\n`).join('');
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`* OK [${capabilities}] ready\r\n`);
    socket.on('data', (chunk) => {
      for (const line of chunk.toString('latin1').split('\r\n').filter((text) => text !== '')) {
        const [tag, name = ''] = line.split(' ');
        commands.push(line.slice(line.indexOf(' ') + 1));
        const untagged = name === 'LIST' ? listing(line.includes('MAILBOXID')) : '';
        socket.write(Buffer.from(`${untagged}${tag} OK done\r\n`, 'latin1'));
      }
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const login = { host: '127.0.0.1', port, user: 'a', password: 'b', tls: 'off' } as const;
  const connection = await ImapConnection.open(login, signal);
  commands.length = 0;
  return { connection, commands };
}

test('ids as RFC 8474 has them are taken, in one command', async () => {
  const { connection, commands } = await connect({ INBOX: 'm6y7slo6z5n2pu8ir8qneavy', Work: 'a-B_9' });
  const listed = await listFolders(connection, signal);
  connection.close();
  expect(listed.map(({ status }) => status?.mailboxId)).toEqual(['m6y7slo6z5n2pu8ir8qneavy', 'a-B_9']);
  expect(commands).toHaveLength(1);
});

test.each([
  ['not of the characters of an id', 'k\xf4\xce\xde\xa8U'],
  ['that end the list early', 'k)\xce\xde\xa8U'],
  ['that no response may hold', 'k\0\xce\xde\xa8U'],
])('where one id is raw memory, with bytes %s, every state is known and no id is believed', async (_, broken) => {
  const { connection, commands } = await connect({ INBOX: 'm6y7slo6z5n2pu8ir8qneavy', Work: broken });
  const listed = await listFolders(connection, signal);
  connection.close();
  const status = { messages: 3, uidNext: 4, uidValidity: 5 };
  expect(listed.map((folder) => [folder.path, folder.status, folder.trouble]))
    .toEqual([['INBOX', status, undefined], ['Work', status, undefined]]);
  expect(commands.at(-1)).toMatch(/^LIST (?!.*MAILBOXID)/);
});
