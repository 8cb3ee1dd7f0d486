import type { SqlValue } from '../rowCodec.ts';
import { Database } from '../schema.ts';

/** Notes the plan of every statement. */
export class Explained extends Database {
  readonly plans = new Map<string, string[]>();

  override all(sql: string, ...values: SqlValue[]): unknown[][] {
    this.#explain(sql, values);
    return super.all(sql, ...values);
  }

  override get(sql: string, ...values: SqlValue[]): unknown[] | undefined {
    this.#explain(sql, values);
    return super.get(sql, ...values);
  }

  #explain(sql: string, values: SqlValue[]): void {
    const steps = super.all(`explain query plan ${sql}`, ...values).map((columns) => String(columns[3]));
    this.plans.set(sql, steps);
  }
}
