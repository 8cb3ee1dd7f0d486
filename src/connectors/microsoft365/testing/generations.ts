import { expect } from 'vitest';
import { Dice } from './dice.ts';
import { picture } from './picture.ts';
import { TestTenant, type TenantOptions } from './testTenant.ts';

/** Steps between two runs. */
const STEPS = 8;

/** Somebody who works in a mailbox: what was done, and to which items. */
export abstract class Changer {
  /** Ids of items whose content may have changed, or that are new. */
  readonly touched = new Set<string>();
  readonly done: string[] = [];
  protected readonly tenant: TestTenant;
  protected readonly dice: Dice;

  constructor(tenant: TestTenant, dice: Dice) {
    this.tenant = tenant;
    this.dice = dice;
  }

  abstract step(): Promise<void>;
}

/** Each generation of a mailbox that changes by chance is as a first run would find it, and fetches nothing that was not touched. */
export async function followGenerations(options: TenantOptions, seed: number, make: (tenant: TestTenant, dice: Dice) => Changer): Promise<void> {
  await using tenant = await TestTenant.start(options);
  const dice = new Dice(seed);
  let { snapshot } = await tenant.run();
  for (let generation = 0; generation < Number(process.env['TEST_GENERATIONS'] ?? 5); generation++) {
    const changer = make(tenant, dice);
    for (let step = 0; step < STEPS; step++) await changer.step();
    if (dice.below(3) === 0) tenant.simulator.evictDeltaTokens(tenant.address);
    const run = await tenant.run(snapshot);
    const at = `seed ${seed}, generation ${generation}: ${changer.done.join(' · ')}`;
    for (const { key } of run.fetched) expect(changer.touched, at).toContain(key.split('/').at(-1));
    expect(picture(run.snapshot), at).toEqual(picture((await tenant.run()).snapshot));
    ({ snapshot } = run);
  }
}
