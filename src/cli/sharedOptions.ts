import { InvalidArgumentError, Option, type Command } from 'commander';

/** A hundred years: what is longer is a slip of the finger that nobody could take back. */
const MOST_LOCK_DAYS = 36_525;

/** What {@link repositoryOptions} declares. */
export interface RepositoryOptions {
  readonly repo?: string;
  readonly keyFile?: string;
  readonly recoveryKeyFile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function repositoryOptions(command: Command, { recovery = true } = {}): Command {
  command.option('--repo <url>', 'the repository: a path, file:///path, s3://…, azblob://… or gs://… (default: HOLDFAST_REPO)');
  return keyOptions(command, { recovery });
}

/** The same for a command that names its repositories in its own way. */
export function keyOptions(command: Command, { recovery = true } = {}): Command {
  command
    .option('--key-file <file>', 'its key file (default: HOLDFAST_KEY_FILE)');
  if (recovery) command.option('--recovery-key-file <file>', 'in place of the key file: the printed recovery key, typed into a file (- for stdin)');
  return command
    .option('--json', 'answer with one JSON document')
    .option('-q, --quiet', 'no progress');
}

/** What {@link connectionOptions} declares. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port?: number;
  readonly user: string;
  readonly passwordFile?: string;
  readonly tokenFile?: string;
  readonly tls: 'on' | 'starttls' | 'off';
  readonly caFile?: string;
  readonly connections?: number;
}

export function connectionOptions(command: Command): Command {
  return command
    .requiredOption('--host <name>', 'mail server')
    .option('--port <number>', 'its port (default: 993 with TLS on, else 143)', wholeNumber(1, 65_535))
    .requiredOption('--user <name>', 'name to log in with')
    .addOption(new Option('--password-file <file>', 'file with the password (- for stdin); asked for on a terminal')
      .conflicts('tokenFile'))
    .option('--token-file <file>', 'file with an OAuth access token (- for stdin); read again for each connection')
    .addOption(new Option('--tls <how>', 'on: from the start; starttls: before login, or not at all; off: clear text')
      .choices(['on', 'starttls', 'off']).default('on'))
    .option('--ca-file <file>', "certificates (PEM) to trust in place of the system's")
    .option('--connections <number>', 'at most so many at once (default: 4)', wholeNumber(1, 32));
}

/** What {@link searchOptions} declares. Days in milliseconds since 1970. */
export interface SearchOptions {
  readonly from?: string;
  readonly to?: string;
  readonly subject?: string;
  readonly folder?: string;
  readonly after?: number;
  readonly before?: number;
}

/** What a search asks of items besides words. */
export function searchOptions(command: Command): Command {
  return command
    .option('--from <words>', 'who wrote it: name or address')
    .option('--to <words>', 'to whom it went: name or address')
    .option('--subject <words>', 'subject of a mail, name of a file')
    .option('--folder <path>', 'only in this folder and those below it')
    .option('--after <day>', 'from this day (YYYY-MM-DD, UTC) or time on', day)
    .option('--before <day>', 'before this day or time', day);
}

/** What {@link lockOptions} declares. */
export interface LockOptions {
  readonly lockDays?: number;
  readonly lockMode: 'compliance' | 'governance';
}

export function lockOptions(command: Command): Command {
  return command
    .option('--lock-days <number>', 'nobody can delete a snapshot for so many days after its backup (needs a bucket with object lock)', wholeNumber(1, MOST_LOCK_DAYS))
    .addOption(new Option('--lock-mode <mode>', 'compliance: nobody ends the lock early, you included; governance: those may whom the bucket allows it')
      .choices(['compliance', 'governance']).default('compliance'));
}

export type ProfileName = 'default' | 'fast' | 'small';

export function profileOption(): Option {
  return new Option('--profile <name>', 'fast: less work; small: more of it for fewer bytes').choices(['default', 'fast', 'small']);
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Give a whole number, ${least} to ${most}.`);
    }
    return value;
  };
}

/** A length of time as a person writes it: days, months, years. */
export interface Span {
  readonly count: number;
  readonly unit: 'd' | 'm' | 'y';
}

export function span(text: string): Span {
  const [, count = '', unit = ''] = /^([1-9]\d{0,3})([dmy])$/.exec(text) ?? [];
  if (unit === '') throw new InvalidArgumentError('Give days, months or years: 30d, 6m, 2y.');
  return { count: Number(count), unit: unit as Span['unit'] };
}

/** '10' or '10%', above 0 and up to 100. */
export function percent(text: string): number {
  const value = /^\d{1,3}(\.\d{1,3})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('Give a share of 100: 10, or 2.5%.');
  return value;
}

const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 };

/** '5GB', '500MB', '4GiB' as bytes, at least `least`. */
export function byteSize(least: number): (text: string) => number {
  return (text) => {
    const [, count = '', unit = ''] = /^([1-9]\d{0,8}) ?([KMGT]?i?B)$/i.exec(text) ?? [];
    const bytes = Number(count) * (BYTES[unit.toUpperCase()] ?? Number.NaN);
    if (!(bytes >= least && bytes <= Number.MAX_SAFE_INTEGER)) throw new InvalidArgumentError(`Give a size of at least ${least / 1e6} MB, like 5GB or 20GB.`);
    return bytes;
  };
}

/** A day (its beginning, UTC) or a time as ISO 8601, in milliseconds since 1970. */
export function day(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse takes February 30.
  if (Number.isNaN(time) || !existsDay(text.slice(0, 10))) {
    throw new InvalidArgumentError('Give a day as YYYY-MM-DD, or a time as YYYY-MM-DDThh:mmZ.');
  }
  return time;
}

function existsDay(text: string): boolean {
  return new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}

/** Some of `allowed`, with commas between. */
export function choices<T extends string>(allowed: readonly T[]): (text: string) => T[] {
  return (text) => {
    const given = new Set(text.split(','));
    const chosen = allowed.filter((choice) => given.has(choice));
    if (chosen.length === given.size) return chosen;
    throw new InvalidArgumentError(`Give one or more of ${allowed.join(', ')}, with commas between.`);
  };
}
