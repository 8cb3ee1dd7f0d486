export { isConnectionError, truncated } from './httpErrors.ts';
export { httpExchange, type HttpLimits, type HttpReply, type HttpRequest, type SpooledBody } from './httpExchange.ts';
export { RequestBudget, type BudgetLimits, type BudgetOptions, type BudgetUse } from './requestBudget.ts';
export { RestClient, USUAL_ATTEMPTS, type Attempts, type RestClientOptions, type RestFailure, type RestRequest, type TokenSource } from './restClient.ts';
export { retryAfterMs } from './retryAfter.ts';
