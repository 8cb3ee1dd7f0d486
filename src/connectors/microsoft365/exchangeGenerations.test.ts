import { test } from 'vitest';
import { Changer, followGenerations } from './testing/generations.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

test(`each generation of a mailbox that changes by chance is as a first run would find it, at the least cost (seed ${SEED})`, async () => {
  await followGenerations({ items: 60 }, SEED, (tenant, dice) => new MailChanger(tenant, dice));
});

const FOLDERS = ['inbox', 'sentitems', 'archive', 'deleteditems', 'drafts', 'junkemail', 'recoverableitemsdeletions'];

/** Somebody who works in the mailbox. */
class MailChanger extends Changer {
  async step(): Promise<void> {
    const steps = ['add', 'draft', 'flag', 'move', 'moveBack', 'remove', 'purge', 'edit', 'folder', 'rename', 'dropFolder'] as const;
    const step = this.dice.pick(steps) ?? 'add';
    const from = this.dice.pick(FOLDERS) ?? 'inbox';
    const to = this.dice.pick(FOLDERS) ?? 'archive';
    const message = this.dice.pick(await this.tenant.messages(from, 5));
    this.done.push(`${step} ${from} ${to}`);
    if (step === 'add') this.touched.add(await this.tenant.addMessage(to, `Added ${this.dice.below(1e6)}`));
    else if (step === 'draft') this.touched.add((await this.tenant.ask('POST', '/messages', { subject: 'Draft', body: { contentType: 'text', content: 'a' } })).id);
    else if (['folder', 'rename', 'dropFolder'].includes(step)) await this.#folder(step);
    else if (message !== undefined) await this.#message(step, message, to);
  }

  async #message(step: string, { id, isRead, isDraft }: { id: string; isRead: boolean; isDraft: boolean }, to: string): Promise<void> {
    if (isDraft) this.touched.add(id);
    const path = `/messages/${id}`;
    if (step === 'move') await this.tenant.ask('POST', `${path}/move`, { destinationId: to });
    else if (step === 'moveBack') {
      await this.tenant.ask('POST', `${path}/move`, { destinationId: 'archive' });
      await this.tenant.ask('POST', `${path}/move`, { destinationId: to });
    } else if (step === 'purge') await this.tenant.ask('POST', `${path}/permanentDelete`);
    else if (step === 'remove') await this.tenant.ask('POST', `${path}/move`, { destinationId: 'deleteditems' });
    else {
      this.touched.add(id);
      const edit = isDraft && step === 'edit' ? { body: { contentType: 'text', content: `Edited ${this.dice.below(1e6)}` } } : { isRead: !isRead, categories: [`C${this.dice.below(9)}`] };
      await this.tenant.ask('PATCH', path, edit);
    }
  }

  async #folder(step: string): Promise<void> {
    const name = `F${this.dice.below(1e9)}`;
    const parent = await this.tenant.folderId('archive');
    const children = (await this.tenant.ask('GET', `/mailFolders/${parent}/childFolders?$top=50`)).value as { id: string }[];
    const child = this.dice.pick(children);
    if (step === 'folder' || child === undefined) {
      const { id } = await this.tenant.ask('POST', `/mailFolders/${parent}/childFolders`, { displayName: name });
      const [message] = await this.tenant.messages('sentitems', 1);
      if (message?.isDraft === true) this.touched.add(message.id);
      if (message !== undefined) await this.tenant.ask('POST', `/messages/${message.id}/move`, { destinationId: id });
    } else if (step === 'rename') await this.tenant.ask('PATCH', `/mailFolders/${child.id}`, { displayName: name });
    else await this.tenant.ask('POST', `/mailFolders/${child.id}/permanentDelete`);
  }
}
