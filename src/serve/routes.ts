/** The whole API on one page. */
import { VERSION } from '../infra/version.ts';
import { openApiDocument } from './openapi.ts';
import type { Route } from './route.ts';
import { batchRoutes } from './routes/batches.ts';
import { customerListRoute } from './routes/customer-list.ts';
import { customerRoutes } from './routes/customers.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { eventRoutes } from './routes/events.ts';
import { experimentRoutes } from './routes/experiments.ts';
import { insightRoutes } from './routes/insights.ts';
import { itemRoutes } from './routes/items.ts';
import { jobRoutes } from './routes/jobs.ts';
import { modelRoutes } from './routes/models.ts';
import { offerRoutes } from './routes/offers.ts';
import { privacyRoutes } from './routes/privacy.ts';
import { recommendationRoutes } from './routes/recommendations.ts';
import { systemRoutes } from './routes/system.ts';
import { webhookRoutes } from './routes/webhooks.ts';

export const ROUTES: readonly Route[] = [
  // GET /recommendations, /items/{itemId}/similar, /items/{itemId}/bought-together
  ...recommendationRoutes,
  // POST /events
  ...eventRoutes,
  // POST /items; GET, PUT, DELETE /items/{itemId}
  ...itemRoutes,
  // GET, POST /customers; GET, PUT /customers/{customerId}; GET /customers/{customerId}/profile
  customerListRoute,
  ...customerRoutes,
  // GET /customers/{customerId}/data; DELETE /customers/{customerId}; GET /erasures/{receiptId}
  ...privacyRoutes,
  // POST, GET /offers; GET, PUT, DELETE /offers/{offerId}
  ...offerRoutes,
  // POST /offers/decide; GET /customers/{customerId}/offers; decisions and their outcomes
  ...decisionRoutes,
  // POST /offers/batch; GET /offers/batch/{batchId}, its result; POST its cancel and resume
  ...batchRoutes,
  // GET /experiments, /experiments/{name}, /control-group, /offers/{offerId}/holdout
  ...experimentRoutes,
  // GET /insights/retention
  ...insightRoutes,
  // GET /models, /models/{name}; POST /models/{name}/promote, /models/{name}/rollback
  ...modelRoutes,
  // GET, POST /jobs; GET /jobs/{jobId}
  ...jobRoutes,
  // GET /webhooks/dead; POST /webhooks/replay
  ...webhookRoutes,
  // GET /livez, /readyz, /metrics, /openapi.json (and /docs, which http/docs.ts serves)
  ...systemRoutes(() => openApiDocument(ROUTES, VERSION)),
];
