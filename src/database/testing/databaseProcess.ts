/**
 * A process that uses an embedded database, for tests that kill it: opens the one in the folder of its argument, says what it was told,
 * and writes rows one after another, saying each that was confirmed. Every line that it prints is JSON.
 */
import { openDatabase } from '../openDatabase.ts';

const [dataDirectory = '', most = '1000000'] = process.argv.slice(2);
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());

const database = await openDatabase({
  url: undefined, dataDirectory, signal: new AbortController().signal, onNotice: (notice) => say({ notice }), onLost: ({ code }) => say({ lost: code }),
});
const { rows } = await database.pool.query<{ pid: number; role: string }>('select pg_backend_pid() as pid, current_user as role');
say({ ready: rows[0], user: process.geteuid?.() });
for (let i = 0; i < Number(most) && !ending.signal.aborted; i++) {
  const name = `${process.pid}-${i}`;
  await database.pool.query('insert into service_notes (name, value) values ($1, $2)', [name, String(i)]);
  say({ confirmed: name });
}
await database.close();
say({ closed: true });
