import type { Progress } from '../../../domain/index.ts';
import type { EnumerateContext } from '../../contract.ts';
import type { RunEffort } from './effort.ts';
import type { SubService } from './subService.ts';

/** Each part of a mailbox counts its own items; the run's count goes on where that of the part before ended. */
export class PartProgress {
  readonly #context: Pick<EnumerateContext, 'progress' | 'expect'>;
  readonly #effort: RunEffort;
  #before = 0;
  #latest = 0;
  #expected = 0;

  constructor(context: Pick<EnumerateContext, 'progress' | 'expect'>, effort: RunEffort) {
    this.#context = context;
    this.#effort = effort;
  }

  /** For the next part. */
  next(service: SubService): { readonly progress: Progress; readonly expect: (items: number) => void } {
    this.#before += this.#latest;
    this.#latest = 0;
    let own = 0;
    const expect = (items: number): void => {
      this.#expected += items - own;
      own = items;
      this.#effort.expect(service, items);
      this.#context.expect?.(this.#expected);
    };
    return { progress: (event) => this.#tell(event), expect };
  }

  #tell(event: Parameters<Progress>[0]): void {
    const { progress } = this.#context;
    if (event.type !== 'progress') {
      progress(event);
      return;
    }
    this.#latest = Math.max(this.#latest, event.items);
    const { totalItems } = event;
    progress({ ...event, items: this.#before + event.items, ...(totalItems === undefined ? {} : { totalItems: this.#before + totalItems }) });
  }
}
