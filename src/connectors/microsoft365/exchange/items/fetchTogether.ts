import { isHoldfastError, type HoldfastError } from '../../../../domain/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import type { ContentOutcomes } from './contentOutcomes.ts';

/** How contents are asked for. */
interface Asking {
  readonly outcomes: ContentOutcomes;
  /** Several at once: of each its content, or the error that concerns it alone; undefined: ask for it alone. Throws what concerns all of them. */
  contents?(items: readonly SourceItem[], context: FetchContext): Promise<readonly (Fetched | HoldfastError | undefined)[]>;
  /** One alone. */
  content(item: SourceItem, context: FetchContext): Promise<Fetched>;
}

/** Contents of several items with as few requests as the service permits. */
export async function fetchTogether(items: readonly SourceItem[], context: FetchContext, asking: Asking): Promise<readonly Fetched[]> {
  const results = await contentsOf(items, context, asking);
  const fetched: Fetched[] = [];
  for (const [place, item] of items.entries()) {
    let first = results[place];
    fetched.push(await asking.outcomes.of(item, context, async () => {
      const result = first ?? await asking.content(item, context);
      // Whoever asks again asks for it alone.
      first = undefined;
      if (isHoldfastError(result)) throw result;
      return result;
    }));
  }
  return fetched;
}

/** Nothing where they cannot be had together: one may be too large, or refused with all others. */
async function contentsOf(items: readonly SourceItem[], context: FetchContext, { contents }: Asking): Promise<readonly (Fetched | HoldfastError | undefined)[]> {
  if (contents === undefined) return [];
  try {
    return await contents(items, context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!isHoldfastError(error)) throw error;
    return error.code === 'http/too-large' || hasCode(error, 'refused', 'not-found') ? [] : items.map(() => error);
  }
}
