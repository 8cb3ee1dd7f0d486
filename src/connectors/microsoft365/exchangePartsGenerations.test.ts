import { test } from 'vitest';
import { Changer, followGenerations } from './testing/generations.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

test(`calendars, contacts and tasks that change by chance are in each generation as a first run would find them, at the least cost (seed ${SEED})`, async () => {
  await followGenerations({ items: 60, parts: 'all' }, SEED, (tenant, dice) => new PartsChanger(tenant, dice));
});

interface Place {
  /** Where the folders are listed, and what they are called by. */
  readonly folders: string;
  readonly named: 'name' | 'displayName';
  readonly items: string;
  make(number: number): object;
  edit(number: number): object;
}

const AT = { dateTime: '2026-03-02T09:00:00', timeZone: 'UTC' };
const RECURRENCE = { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }, range: { type: 'noEnd', startDate: '2026-03-02' } };
const PLACES: readonly Place[] = [
  { folders: '/calendars', named: 'name', items: 'events', make: (n) => ({ subject: `Event ${n}`, start: AT, end: AT, ...(n % 2 === 0 ? { recurrence: RECURRENCE } : {}) }), edit: (n) => ({ subject: `Changed ${n}` }) },
  { folders: '/contactFolders', named: 'displayName', items: 'contacts', make: (n) => ({ givenName: `Contact ${n}` }), edit: (n) => ({ jobTitle: `Job ${n}` }) },
  { folders: '/todo/lists', named: 'displayName', items: 'tasks', make: (n) => ({ title: `Task ${n}` }), edit: (n) => ({ status: n % 2 === 0 ? 'completed' : 'inProgress' }) },
];

/** Somebody who works with calendars, contacts and tasks. */
class PartsChanger extends Changer {
  async step(): Promise<void> {
    const place = this.dice.pick(PLACES);
    const step = this.dice.pick(['add', 'add', 'edit', 'edit', 'remove', 'occurrence', 'folder', 'rename', 'dropFolder'] as const);
    if (place === undefined || step === undefined) return;
    this.done.push(`${step} ${place.items}`);
    const number = this.dice.below(1e6);
    const folders = (await this.tenant.ask('GET', `${place.folders}?$top=50`)).value as any[];
    const folder = this.dice.pick(folders);
    if (step === 'folder') {
      const { id } = await this.tenant.ask('POST', place.folders, { [place.named]: `F${number}` });
      await this.#add(place, id, number);
      return;
    }
    if (folder === undefined) return;
    if (step === 'rename' || step === 'dropFolder') await this.#changeFolder(step, place, folder, number);
    else if (step === 'add') await this.#add(place, folder.id, number);
    else await this.#changeItem(step, place, folder.id, number);
  }

  async #add({ folders, items, make }: Place, folderId: string, number: number): Promise<void> {
    this.touched.add((await this.tenant.ask('POST', `${folders}/${folderId}/${items}`, make(number))).id);
  }

  async #changeFolder(step: 'rename' | 'dropFolder', { folders, named }: Place, folder: any, number: number): Promise<void> {
    // Those that come with a mailbox stay.
    if (!/^F\d+$|^N\d+$/.test(folder[named])) return;
    const path = `${folders}/${folder.id}`;
    if (step === 'rename') await this.tenant.ask('PATCH', path, { [named]: `N${number}` });
    else await this.tenant.ask('DELETE', path);
  }

  async #changeItem(step: 'edit' | 'remove' | 'occurrence', { folders, items, edit }: Place, folderId: string, number: number): Promise<void> {
    const path = `${folders}/${folderId}/${items}`;
    const item = this.dice.pick((await this.tenant.ask('GET', `${path}?$top=50`)).value as any[]);
    if (item === undefined) return;
    this.touched.add(item.id);
    if (step === 'remove') await this.tenant.ask('DELETE', `${path}/${item.id}`);
    else if (step === 'edit' || item.type !== 'seriesMaster') await this.tenant.ask('PATCH', `${path}/${item.id}`, edit(number));
    else await this.#changeOccurrence(item.id, number);
  }

  async #changeOccurrence(id: string, number: number): Promise<void> {
    const instances = (await this.tenant.ask('GET', `/events/${id}/instances?startDateTime=2025-01-01T00:00:00&endDateTime=2027-01-01T00:00:00`)).value as any[];
    const instance = this.dice.pick(instances);
    if (instance === undefined) return;
    if (number % 3 === 0) await this.tenant.ask('DELETE', `/events/${instance.id}`);
    else await this.tenant.ask('PATCH', `/events/${instance.id}`, { subject: `Moved ${number}` });
  }
}
