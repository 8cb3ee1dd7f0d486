import { afterAll, beforeAll, describe, test } from 'vitest';
import { startDovecot, type Dovecot } from '../../../tests/servers/dovecot.ts';
import { TestMailbox } from '../../../tests/servers/testMailbox.ts';
import { connectorChecks, type ConnectorFixture } from '../conformance.ts';
import { descriptor, openSource } from './index.ts';

const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  'with QRESYNC': [],
  'with CONDSTORE only': ['QRESYNC'],
  'with neither': ['QRESYNC', 'CONDSTORE'],
  'with no extension at all': ['QRESYNC', 'CONDSTORE', 'ENABLE', 'LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE', 'ESEARCH',
    'UIDPLUS', 'LITERAL+', 'BINARY', 'NAMESPACE', 'MULTIAPPEND', 'SASL-IR', 'ID'],
};

async function mailboxFixture(server: Dovecot, user: string): Promise<ConnectorFixture> {
  const box = await TestMailbox.open(server, user);
  await box.create('Work', 'Work/T&AOQ-glich', 'Empty');
  await box.saveMany('INBOX', 3);
  await box.saveMany('Work/T&AOQ-glich', 2);
  await box.addFlags('INBOX', '2', '\\Seen $Label1');
  return {
    descriptor: descriptor,
    open: async (signal) => await openSource({
      host: server.host, port: server.tlsPort, ca: server.ca, user, password: 'pw', connections: 3,
    }, signal ?? new AbortController().signal),
    add: async () => await box.save('INBOX'),
    change: async () => await box.addFlags('Work/T&AOQ-glich', '1', '\\Flagged'),
    remove: async () => await box.expunge('INBOX', '1'),
  };
}

for (const [variant, without] of Object.entries(VARIANTS)) {
  describe(`IMAP source ${variant}`, () => {
    let server: Dovecot;
    beforeAll(async () => {
      const users = Object.fromEntries(connectorChecks.map((_check, i) => [`user${i}@example.test`, 'pw']));
      server = await startDovecot({ users, without });
    });
    afterAll(async () => await server.stop());
    connectorChecks.forEach((check, i) => {
      test(check.name, async () => await check.run(await mailboxFixture(server, `user${i}@example.test`)));
    });
  });
}
