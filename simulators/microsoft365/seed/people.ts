import { Dice } from './dice.ts';

/** Somebody, in the tenant or outside of it. */
export interface Person {
  readonly givenName: string;
  readonly surname: string;
  readonly displayName: string;
  readonly address: string;
  readonly department: string;
  readonly jobTitle: string;
  readonly office: string;
  readonly city: string;
  readonly country: string;
  readonly phone: string;
}

const GIVEN = ['Anna', 'Ben', 'Carla', 'David', 'Elif', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Katja', 'Liam', 'Mei', 'Nadia', 'Oskar', 'Priya', 'Quentin',
  'Rosa', 'Søren', 'Tomáš', 'Ursula', 'Viktor', 'Wanda', 'Ximena', 'Yuki', 'Zoë', 'Amélie', 'Björn', 'Chiara', 'Daniel', 'Emma', 'Fatima', 'Georg', 'Hanna'];
const FAMILY = ['Adams', 'Bauer', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'García', 'Hoffmann', 'Ivanova', 'Jensen', 'Kowalski', 'Larsen', 'Müller', 'Novák',
  'O’Brien', 'Petrov', 'Quinn', 'Rossi', 'Schmidt', 'Tanaka', 'Ueda', 'Vogel', 'Weber', 'Xu', 'Yılmaz', 'Zimmermann', 'Andersson', 'Brown', 'Chen', 'Díaz'];
const DEPARTMENTS: readonly (readonly [string, readonly string[]])[] = [
  ['Sales', ['Account Manager', 'Sales Engineer', 'Head of Sales']], ['Finance', ['Accountant', 'Controller', 'Payroll Clerk']],
  ['Engineering', ['Engineer', 'Senior Engineer', 'Team Lead']], ['Marketing', ['Copywriter', 'Brand Manager', 'Designer']],
  ['Legal', ['Counsel', 'Paralegal']], ['Operations', ['Logistics Planner', 'Buyer', 'Site Manager']], ['Human Resources', ['Recruiter', 'HR Partner']],
];
const CITIES: readonly (readonly [string, string])[] = [
  ['Berlin', 'Germany'], ['Lyon', 'France'], ['Porto', 'Portugal'], ['Gdańsk', 'Poland'], ['Malmö', 'Sweden'], ['Cork', 'Ireland'], ['Turin', 'Italy'],
];
export const PARTNERS = ['alpine-parts.example', 'northwind-traders.example', 'litware.example', 'tailspin-toys.example', 'adatum.example'];

/** The person of a number in a domain. Addresses are told apart by the number where names repeat. */
export function makePerson(seed: string, index: number, domain: string): Person {
  const dice = new Dice(seed, 'person', domain, index);
  const [givenName, surname] = [dice.pick(GIVEN), dice.pick(FAMILY)];
  const [department, titles] = dice.pick(DEPARTMENTS);
  const [city, country] = dice.pick(CITIES);
  const local = `${plain(givenName)}.${plain(surname)}`.toLowerCase();
  return {
    givenName, surname, department, city, country,
    displayName: `${givenName} ${surname}`,
    address: `${local}${index < GIVEN.length / 4 ? '' : index}@${domain}`,
    jobTitle: dice.pick(titles),
    office: `${dice.int(9) + 1}/${1000 + dice.int(2000)}`,
    phone: `+49 30 55${String(dice.int(100_000)).padStart(5, '0')}`,
  };
}

/** Somebody outside: a customer or a supplier. */
export function makeOutsider(seed: string, index: number): Person {
  return makePerson(seed, index, PARTNERS[index % PARTNERS.length] ?? 'adatum.example');
}

function plain(name: string): string {
  return name.normalize('NFD').replace(/[^A-Za-z]/g, '').replace(/^$/, 'user');
}
