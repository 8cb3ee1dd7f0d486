/**
 * Who may import whom, as data. A folder of `src` that is not here fails the check; so does an import that is not
 * allowed here. `may` names folders (their door, `index.ts`, is meant) or single files; '*' is everything.
 */
export interface FolderRule {
  /** From the root: 'src/domain'. The longest matching one counts. A last part '*' matches any one folder. */
  readonly folder: string;
  readonly may: readonly string[];
  /** Why everything else is banned. */
  readonly otherwise: string;
  /** Bans whose reason is their own, by folder. */
  readonly bans?: Readonly<Record<string, string>>;
  /** Node's own modules that may not be used here ('*': none), and why. */
  readonly noBuiltins?: { readonly names: readonly string[]; readonly because: string };
}

const BASE = ['src/domain', 'src/runtime'];
const STAGES = [...BASE, 'src/connectors/contract.ts', 'src/repository', 'src/catalog', 'src/formats'];
const NO_SERVICE = 'works through the contract alone, so that a new service changes nothing here';
const ROOTS = 'is a composition root: what it wires together does not know it';
const STAND_INS = 'a stand-in for a service knows the service alone: one that shared code with the product would share its mistakes';
const SIMULATORS = 'simulators/*';
const DOORS = [...BASE, 'src/storage', 'src/storage/trial', 'src/repository', 'src/catalog', 'src/connectors', 'src/connectors/contract.ts', 'src/connectors/offer.ts',
  'src/connectors/*', 'src/formats', 'src/rest', 'src/backup', 'src/recovery', 'src/database', 'src/mail', 'src/accounts', 'src/tasks', 'src/api',
  'src/api/contract', 'src/server', 'src/cli'];

export const FOLDER_RULES: readonly FolderRule[] = [
  {
    folder: 'simulators',
    may: ['simulators/*'],
    otherwise: STAND_INS,
  },
  {
    folder: 'simulators/*',
    may: [],
    otherwise: STAND_INS,
  },
  {
    folder: 'src/domain',
    may: [],
    otherwise: 'domain holds the words of all others; importing one of them would tie every folder to it',
    noBuiltins: { names: ['*'], because: 'domain is types and schemas: no I/O' },
  },
  {
    folder: 'src/runtime',
    may: ['src/domain'],
    otherwise: 'runtime lies under every stage; a stage under it would be a circle',
  },
  {
    folder: 'src/formats',
    may: BASE,
    otherwise: 'formats turn bytes into bytes and are used by several stages; they know none of them',
    noBuiltins: {
      names: ['fs', 'fs/promises', 'net', 'tls', 'http', 'https', 'child_process', 'worker_threads'],
      because: 'formats are pure: what they read and write is handed in',
    },
  },
  {
    folder: 'src/rest',
    may: BASE,
    otherwise: 'one HTTP layer lies under all connectors that speak REST; it knows none of their services',
  },
  {
    folder: 'src/storage',
    may: BASE,
    otherwise: 'storage is a dumb bucket of objects: it knows nothing of what is in them',
  },
  {
    folder: 'src/repository',
    may: [...BASE, 'src/storage'],
    otherwise: 'the repository alone must be able to give everything back, so nothing above it may be needed to read it',
    bans: { 'src/catalog': 'the catalog is a cache that can be thrown away; the repository holds the truth' },
  },
  {
    folder: 'src/catalog',
    may: BASE,
    otherwise: 'the catalog answers from rows handed to it; who stores them and who asks is not its business',
    bans: { 'src/repository': 'the catalog is built from segments that the caller reads, so that it can be rebuilt from anywhere' },
  },
  {
    folder: 'src/connectors',
    may: [...BASE, 'src/formats', 'src/rest', 'src/connectors/*'],
    otherwise: 'a connector only reads and writes its service; what becomes of the items is decided by backup and recovery',
  },
  {
    folder: 'src/connectors/*',
    may: [...BASE, 'src/formats', 'src/formats/textFormat.ts', 'src/rest', 'src/connectors/contract.ts', 'src/connectors/offer.ts'],
    otherwise: 'a connector only reads and writes its service; what becomes of the items is decided by backup and recovery',
    bans: { 'src/connectors': 'the list of connectors imports each connector; a connector that imports the list, or another, closes a circle' },
  },
  {
    folder: 'src/backup',
    may: STAGES,
    otherwise: 'backup is one run over one source',
    bans: {
      'src/connectors': `backup ${NO_SERVICE}`,
      'src/recovery': 'backup and recovery meet only in the repository',
      'src/storage': 'only the repository writes objects: write order and prune depend on it',
      'src/cli': `cli ${ROOTS}`,
    },
  },
  {
    folder: 'src/recovery',
    may: [...STAGES, 'src/storage/objectSink.ts'],
    otherwise: 'recovery reads snapshots and writes to one target, or exports to one place',
    bans: {
      'src/connectors': `recovery ${NO_SERVICE}`,
      'src/backup': 'backup and recovery meet only in the repository',
      'src/storage': 'only the repository reads objects: checks and decryption are there',
      'src/cli': `cli ${ROOTS}`,
    },
  },
  {
    folder: 'src/database',
    may: BASE,
    otherwise: 'the database is a handle and a schema: what the rows mean is decided above it',
  },
  {
    folder: 'src/mail',
    may: BASE,
    otherwise: 'mail turns letters into text and hands them to a server; who is written to, and what about, is decided above it',
  },
  {
    folder: 'src/accounts',
    may: [...BASE, 'src/database', 'src/mail'],
    otherwise: 'accounts hold the rules of the control plane; who asks over which wire, and what backups do, is not their business',
    bans: { 'src/repository': 'the control plane never reads what customers keep' },
  },
  {
    folder: 'src/tasks',
    may: [...BASE, 'src/database', 'src/accounts', 'src/connectors/offer.ts'],
    otherwise: 'tasks hold what is to be backed up, for whom and how; who asks over which wire, and how backups run, is not their business',
    bans: { 'src/connectors': `a task ${NO_SERVICE}`, 'src/repository': 'the control plane never reads what customers keep' },
  },
  {
    folder: 'src/api/contract',
    may: ['src/domain'],
    otherwise: 'the contract goes to browsers and other programs, so it may hold shapes alone',
    noBuiltins: { names: ['*'], because: 'the contract runs in browsers too' },
  },
  {
    folder: 'src/api',
    may: [...BASE, 'src/api/contract', 'src/database', 'src/accounts', 'src/tasks'],
    otherwise: 'routes parse, let in, call and present; what they call is handed in by the server',
  },
  {
    folder: 'src/server',
    may: DOORS.filter((door) => door !== 'src/cli'),
    otherwise: 'server wires the folders of src together by their doors',
    bans: { 'src/cli': `cli ${ROOTS}` },
  },
  {
    folder: 'src/cli',
    may: DOORS,
    otherwise: 'cli wires the folders of src together by their doors',
  },
  {
    folder: 'tests',
    may: [...DOORS, SIMULATORS, 'tests', 'tools/soak.ts'],
    otherwise: 'whole flows use what a caller could use',
  },
  {
    folder: 'tests/bench',
    may: ['*', 'tests'],
    otherwise: 'a bench times parts, and so reaches into every folder',
  },
  {
    folder: 'tests/fuzz',
    may: ['*', 'tests'],
    otherwise: 'a fuzzer feeds parsers, which lie behind every door',
  },
  {
    folder: 'tools',
    may: [...DOORS, SIMULATORS, 'tests', 'tools'],
    otherwise: 'tools use what a caller could use',
  },
];

/** What a test beside the code may import besides its own folder: any door, and the support code of the whole-flow tests. */
export const TEST_MAY: readonly string[] = [...DOORS, SIMULATORS, 'tests'];
