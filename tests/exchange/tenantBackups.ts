import { setTimeout as wait } from 'node:timers/promises';
import { startMicrosoft365, type LoggedRequest, type Microsoft365, type Microsoft365Options } from '../../simulators/microsoft365/index.ts';
import { runBackup } from '../../src/backup/index.ts';
import { microsoft365 } from '../../src/connectors/index.ts';
import type { ItemRow, Progress } from '../../src/domain/index.ts';
import { stateRows, type Manifest } from '../../src/repository/index.ts';
import { systemClock, systemRandom, type Clock, type Sleep } from '../../src/runtime/index.ts';
import { never, ScratchRepository, sha256, unheard } from '../roundTrip/scratchRepository.ts';

/** Waits are cut short: what is counted are requests, not seconds. */
export const shortSleep: Sleep = async (ms, signal) => {
  await wait(Math.min(ms, 5), undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    throw signal?.aborted === true ? signal.reason : error;
  });
};

export interface TenantBackupsOptions extends Microsoft365Options {
  readonly clock?: Clock;
  readonly sleep?: Sleep;
  /** Told of each exchange with the service. */
  readonly onExchange?: () => void;
  /** The product's own unless told. */
  readonly open?: typeof microsoft365.openSource;
  /** MIME alone unless told. */
  readonly fidelity?: microsoft365.Fidelity;
  /** What the product takes to be permitted; what is documented unless told. */
  readonly mailboxLimits?: microsoft365.Microsoft365Runtime['mailboxLimits'];
}

/** Whole backups of the mailboxes of a simulated tenant, all parts of them, through the product's doors. */
export class TenantBackups implements AsyncDisposable {
  readonly simulator: Microsoft365;
  readonly #tenant: microsoft365.Tenant;
  readonly #clock: Clock;
  readonly #open: typeof microsoft365.openSource;
  readonly #fidelity: microsoft365.Fidelity;
  readonly #scratches: ScratchRepository[] = [];

  private constructor(simulator: Microsoft365, { clock = systemClock, sleep = shortSleep, onExchange, open = microsoft365.openSource, fidelity = 'mime', mailboxLimits }: TenantBackupsOptions) {
    this.simulator = simulator;
    this.#clock = clock;
    this.#open = open;
    this.#fidelity = fidelity;
    this.#tenant = new microsoft365.Tenant(settingsOf(simulator), {
      clock, sleep, random: systemRandom, ...(onExchange === undefined ? {} : { onExchange }), ...(mailboxLimits === undefined ? {} : { mailboxLimits }),
    });
  }

  static async start(options: TenantBackupsOptions): Promise<TenantBackups> {
    return TenantBackups.on(await startMicrosoft365({ seed: 'proofs', ...options }), options);
  }

  /** Of a tenant that runs already; it ends with this. */
  static on(simulator: Microsoft365, options: TenantBackupsOptions): TenantBackups {
    return new TenantBackups(simulator, options);
  }

  /** Of its own, in memory. */
  async repository(): Promise<ScratchRepository> {
    const scratch = await ScratchRepository.make();
    this.#scratches.push(scratch);
    return scratch;
  }

  /** One backup, and what it asked of the service besides tokens. */
  async backUp({ repository }: ScratchRepository, address = this.simulator.mailboxes[0] ?? '', progress: Progress = unheard): Promise<{ manifest: Manifest; requests: readonly LoggedRequest[] }> {
    const mailbox = await this.#tenant.mailbox(address, never);
    const before = this.simulator.log.total;
    const source = this.#open(this.#tenant, mailbox, this.#fidelity);
    try {
      const manifest = await runBackup(repository, source, { signal: never, progress, clock: this.#clock, workers: 1 });
      return { manifest, requests: this.simulator.requests().filter(({ number, url }) => number > before && !url.includes('oauth2')) };
    } finally {
      await source.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const scratch of this.#scratches) scratch[Symbol.dispose]();
    await this.simulator.close();
  }
}

export function settingsOf({ tenant, clientId, clientSecret, graphUrl, loginUrl }: Microsoft365): microsoft365.Microsoft365Settings {
  return { tenant, clientId, clientSecret, graphUrl, loginUrl };
}

/** Each row of a snapshot by its key: all its fields, its content as the hash of the bytes that are read back. */
export async function wholeSnapshot({ repository }: Pick<ScratchRepository, 'repository'>, manifest: Manifest): Promise<Map<string, string>> {
  const { storage, keyring } = repository.context;
  const reader = repository.reader(await repository.entity(manifest.tag));
  const shown = new Map<string, string>();
  try {
    for await (const rows of stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers)) {
      for (const row of rows) shown.set(row.key, JSON.stringify([fieldsOf(row), row.content === '' ? '' : await hashOf(reader.content(row))]));
    }
  } finally {
    await reader.close();
  }
  return shown;
}

function fieldsOf({ content: _content, ...fields }: ItemRow): Omit<ItemRow, 'content'> {
  return fields;
}

async function hashOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return sha256(Buffer.concat(parts));
}

/** The first difference between two snapshots; undefined where they are equal. */
export function firstDifference(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string | undefined {
  const key = [...new Set([...one.keys(), ...other.keys()])].sort().find((each) => one.get(each) !== other.get(each));
  return key === undefined ? undefined : `${key}: ${one.get(key) ?? 'not there'} and ${other.get(key) ?? 'not there'}`;
}
