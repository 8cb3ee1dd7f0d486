import { expect, test } from 'vitest';
import { API_ROUTES } from '../../src/api/index.ts';
import { testSeed } from '../repository/seeded.ts';
import { TestService } from '../service/testService.ts';
import { fuzzApi } from './fuzzApi.ts';

const RUNS = 3;
const seed = testSeed();

test(`whatever the document's routes are asked, nothing fails, refusals are sentences, and answers are as the document says (HOLDFAST_SEED=${seed})`, async () => {
  await using service = await TestService.start();
  const { operations, requests } = await fuzzApi(service, { seed, runs: RUNS });
  expect([operations, requests]).toEqual([API_ROUTES.length, API_ROUTES.length * RUNS]);
  expect(service.log.filter(({ level }) => level === 'error')).toEqual([]);
});
