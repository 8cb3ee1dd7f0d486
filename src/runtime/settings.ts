import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** One thing that the environment can set. */
export interface Setting {
  /** Name of the environment variable. */
  readonly name: string;
  /** What it does, for help and guides: part of a sentence. */
  readonly text: string;
  /** What stands for it when it is not set, in words; undefined: nothing. */
  readonly fallback?: string;
}

/** All settings, each declared once. `--help` prints them. */
export const SETTINGS = {
  repository: { name: 'HOLDFAST_REPO', text: 'address of the repository, where --repo does not give it' },
  keyFile: { name: 'HOLDFAST_KEY_FILE', text: 'the key file, where --key-file does not give it' },
  cacheDirectory: {
    name: 'HOLDFAST_CACHE',
    text: 'private folder of local caches; deletable at any time while nothing runs',
    fallback: '$XDG_CACHE_HOME/holdfast or ~/.cache/holdfast',
  },
  azureAccount: { name: 'AZURE_STORAGE_ACCOUNT', text: 'storage account of azblob:// addresses, where they do not name one' },
  azureKey: { name: 'AZURE_STORAGE_KEY', text: 'a key of that account' },
  azureSasToken: { name: 'AZURE_STORAGE_SAS_TOKEN', text: 'a shared access signature, in place of the key' },
  azureConnectionString: { name: 'AZURE_STORAGE_CONNECTION_STRING', text: 'account, endpoint and key or signature in one, in place of them' },
  gcsCredentialsFile: { name: 'GOOGLE_APPLICATION_CREDENTIALS', text: 'file with the credentials for gs:// addresses' },
  gcsEmulator: { name: 'STORAGE_EMULATOR_HOST', text: 'a test server in place of Google Cloud Storage; no credentials are sent to it' },
  awsAccessKeyId: { name: 'AWS_ACCESS_KEY_ID', text: 'access key of an S3 bucket' },
  awsSecretAccessKey: { name: 'AWS_SECRET_ACCESS_KEY', text: 'its secret key' },
  awsSessionToken: { name: 'AWS_SESSION_TOKEN', text: 'the token of temporary keys' },
  awsCredentialsFile: {
    name: 'AWS_SHARED_CREDENTIALS_FILE', text: 'file with keys, where the environment has none', fallback: '~/.aws/credentials',
  },
  awsProfile: { name: 'AWS_PROFILE', text: 'section of that file', fallback: 'default' },
  awsRegion: { name: 'AWS_REGION', text: 'region of an S3 bucket whose address tells none', fallback: 'us-east-1' },
} as const satisfies Record<string, Setting>;

/** Those of the service alone. `serve --help` prints them. */
export const SERVICE_SETTINGS = {
  data: {
    name: 'HOLDFAST_DATA', text: 'folder of the embedded database, the master key and local storage',
    fallback: '/var/lib/holdfast for root, else $XDG_DATA_HOME/holdfast or ~/.local/share/holdfast',
  },
  databaseUrl: { name: 'DATABASE_URL', text: 'a PostgreSQL database of yours (postgresql://…)', fallback: 'the embedded one' },
  publicUrl: { name: 'HOLDFAST_URL', text: 'address that people reach the service at', fallback: 'http://127.0.0.1 and the port' },
  masterKeyFile: { name: 'HOLDFAST_MASTER_KEY_FILE', text: 'key file of the service; made at the first start', fallback: 'master.key in HOLDFAST_DATA' },
  locations: {
    name: 'HOLDFAST_LOCATIONS', text: 'JSON list of the data-centre locations: id, name, and storage (an address as of --repo)', fallback: 'one, in HOLDFAST_DATA',
  },
  metricsTokenFile: { name: 'HOLDFAST_METRICS_TOKEN_FILE', text: 'file with the token that opens /metrics to other machines' },
  smtpUrl: {
    name: 'SMTP_URL', text: 'mail server: smtps://user:password@host, or smtp://host:587 with STARTTLS', fallback: 'none; mail waits in an outbox that this machine can read',
  },
  mailFrom: { name: 'HOLDFAST_MAIL_FROM', text: 'address that mails come from, with a name or without one', fallback: 'holdfast@ and the host of HOLDFAST_URL' },
  supportAddress: { name: 'HOLDFAST_SUPPORT_ADDRESS', text: 'address that tickets of users are mailed to', fallback: 'none; tickets are only kept' },
  proxies: { name: 'HOLDFAST_PROXIES', text: 'addresses of reverse proxies, with commas between; their X-Forwarded-For counts' },
  openNetworks: {
    name: 'HOLDFAST_OPEN_NETWORKS', text: 'private networks that customers may name servers of, with commas between (10.1.0.0/16)', fallback: 'none',
  },
} as const satisfies Record<string, Setting>;

/** Where the service signs in to providers as an application of its own. Each is read by its connector; `serve --help` prints them, too. */
export const PROVIDER_SETTINGS = {
  MICROSOFT_CLIENT_ID: { name: 'MICROSOFT_CLIENT_ID', text: 'application (client) id of the registration that customers consent to' },
  MICROSOFT_CLIENT_SECRET: { name: 'MICROSOFT_CLIENT_SECRET', text: 'a client secret of that application' },
  MICROSOFT_LOGIN_URL: { name: 'MICROSOFT_LOGIN_URL', text: 'where one signs in', fallback: 'https://login.microsoftonline.com' },
  MICROSOFT_GRAPH_URL: { name: 'MICROSOFT_GRAPH_URL', text: 'where the data are', fallback: 'https://graph.microsoft.com' },
} as const satisfies Record<string, Setting>;

/** What of them is set, by name. Secrets: never in a log or message. */
export type ProviderSettings = Readonly<Partial<Record<keyof typeof PROVIDER_SETTINGS, string>>>;

/** The settings as they are now. An empty variable counts as not set. */
export interface Settings {
  readonly repository: string | undefined;
  readonly keyFile: string | undefined;
  /** Absolute. */
  readonly cacheDirectory: string;
  readonly azure: AzureSettings;
  readonly gcs: GcsSettings;
  readonly aws: AwsSettings;
  readonly service: ServiceSettings;
}

/** `databaseUrl` and `smtpUrl` hold passwords: never in a log or message. */
export interface ServiceSettings {
  /** Absolute. */
  readonly data: string;
  readonly databaseUrl: string | undefined;
  readonly publicUrl: string | undefined;
  readonly masterKeyFile: string | undefined;
  readonly locations: string | undefined;
  readonly metricsTokenFile: string | undefined;
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string | undefined;
  readonly supportAddress: string | undefined;
  readonly proxies: readonly string[];
  readonly openNetworks: readonly string[];
  readonly providers: ProviderSettings;
}

/** As other programs for the same service read them. Secrets, but for the account: never in a log or message. */
export interface AzureSettings {
  readonly account: string | undefined;
  readonly key: string | undefined;
  readonly sasToken: string | undefined;
  readonly connectionString: string | undefined;
}

export interface GcsSettings {
  readonly credentialsFile: string | undefined;
  readonly emulator: string | undefined;
}

/** As other programs for the same service read them. Secrets: never in a log or message. */
export interface AwsSettings {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  readonly credentialsFile: string | undefined;
  readonly profile: string | undefined;
  readonly region: string | undefined;
}

/** Reads the environment: the only place that does. */
export function readSettings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const value = (name: string): string | undefined => environment[name] || undefined;
  return {
    repository: value(SETTINGS.repository.name),
    keyFile: value(SETTINGS.keyFile.name),
    cacheDirectory: resolve(value(SETTINGS.cacheDirectory.name) ?? join(cacheHome(value), 'holdfast')),
    azure: {
      account: value(SETTINGS.azureAccount.name),
      key: value(SETTINGS.azureKey.name),
      sasToken: value(SETTINGS.azureSasToken.name),
      connectionString: value(SETTINGS.azureConnectionString.name),
    },
    gcs: { credentialsFile: value(SETTINGS.gcsCredentialsFile.name), emulator: value(SETTINGS.gcsEmulator.name) },
    aws: {
      accessKeyId: value(SETTINGS.awsAccessKeyId.name),
      secretAccessKey: value(SETTINGS.awsSecretAccessKey.name),
      sessionToken: value(SETTINGS.awsSessionToken.name),
      credentialsFile: value(SETTINGS.awsCredentialsFile.name),
      profile: value(SETTINGS.awsProfile.name),
      region: value(SETTINGS.awsRegion.name),
    },
    service: serviceSettings(value),
  };
}

function serviceSettings(value: (name: string) => string | undefined): ServiceSettings {
  return {
    data: resolve(value(SERVICE_SETTINGS.data.name) ?? dataHome(value)),
    databaseUrl: value(SERVICE_SETTINGS.databaseUrl.name),
    publicUrl: value(SERVICE_SETTINGS.publicUrl.name),
    masterKeyFile: value(SERVICE_SETTINGS.masterKeyFile.name),
    locations: value(SERVICE_SETTINGS.locations.name),
    metricsTokenFile: value(SERVICE_SETTINGS.metricsTokenFile.name),
    smtpUrl: value(SERVICE_SETTINGS.smtpUrl.name),
    mailFrom: value(SERVICE_SETTINGS.mailFrom.name),
    supportAddress: value(SERVICE_SETTINGS.supportAddress.name),
    proxies: listOf(value(SERVICE_SETTINGS.proxies.name)),
    openNetworks: listOf(value(SERVICE_SETTINGS.openNetworks.name)),
    providers: Object.fromEntries(Object.keys(PROVIDER_SETTINGS).flatMap((name) => {
      const set = value(name);
      return set === undefined ? [] : [[name, set]];
    })),
  };
}

function listOf(text = ''): string[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '');
}

/** Root's home is closed to the user that the database then runs as. */
function dataHome(value: (name: string) => string | undefined): string {
  if (process.geteuid?.() === 0) return '/var/lib/holdfast';
  const given = value('XDG_DATA_HOME');
  return join(given !== undefined && isAbsolute(given) ? given : join(value('HOME') ?? homedir(), '.local', 'share'), 'holdfast');
}

/** The XDG base directory specification: a relative path there is to be ignored. */
function cacheHome(value: (name: string) => string | undefined): string {
  const given = value('XDG_CACHE_HOME');
  return given !== undefined && isAbsolute(given) ? given : join(value('HOME') ?? homedir(), '.cache');
}
