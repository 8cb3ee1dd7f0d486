import { Dice } from './dice.ts';
import { makeOutsider, makePerson } from './people.ts';
import type { Person } from './people.ts';

/** Whose mailbox is being made, and what chance decides about it. */
export interface Owner {
  readonly seed: string;
  /** Number of the mailbox in the tenant. */
  readonly index: number;
  readonly person: Person;
  readonly domain: string;
  /** How many people the tenant has: colleagues are drawn from them. */
  readonly people: number;
}

/** The newest seeded thing is older than this. */
export const SEED_EPOCH = Date.UTC(2026, 5, 1, 8);
const YEARS_BACK = 3;

/** A dice that depends on the mailbox and the words alone. */
export function diceOf(owner: Owner, ...words: readonly (string | number)[]): Dice {
  return new Dice(owner.seed, owner.index, ...words);
}

/** Somebody whom the owner writes with: mostly colleagues. */
export function correspondent(owner: Owner, dice: Dice): Person {
  return dice.chance(0.65) ? makePerson(owner.seed, dice.int(owner.people), owner.domain) : makeOutsider(owner.seed, dice.int(200));
}

export function emailAddress(person: { displayName: string; address: string }): { emailAddress: { name: string; address: string } } {
  return { emailAddress: { name: person.displayName, address: person.address } };
}

/** Times of `count` things, the newest first: strictly falling, spread over three years, to the second. */
export function timeline(owner: Owner, name: string, count: number): (index: number) => number {
  const step = Math.max(2, Math.floor((YEARS_BACK * 365 * 86_400) / Math.max(count, 1)));
  return (index) => SEED_EPOCH - (index * step + diceOf(owner, 'time', name, index).int(step)) * 1000;
}
