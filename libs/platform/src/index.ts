export { openWith, sealWith } from './aead.ts';
export { Blur, blurredSum } from './blur.ts';
export { Clock, hourIn } from './clock.ts';
export { Coalesced } from './coalesced.ts';
export { databaseOptions } from './database.ts';
export { DeploymentIdentity } from './deployment-identity.ts';
export { IN_ITS_DATABASE, type Standing } from './deployment-identity.repository.ts';
export { ENV, readEnv, tellGoogle, type Env } from './env.ts';
export { GroupCommit, type GroupCommitRefusal } from './group-commit.ts';
export { Idempotency, type IdempotencyRefusal, type IdempotentRequest } from './idempotency.ts';
export { PHOTO_MAX_BYTES, reencodePhoto, type ImageRefusal, type Photo } from './image.ts';
export { defineJob, queueOf, type JobData, type JobDefinition, type JobHandlers } from './jobs.ts';
export { hashSecret, Keys, newSecret } from './keys.ts';
export { Outbound, OUTBOUND_LOOKUP, OutboundError, type OutboundFault } from './outbound.ts';
export { outlast } from './outlast.ts';
export { Outbox } from './outbox.ts';
export { PlatformModule } from './platform.module.ts';
export { LogContext } from './log-context.ts';
export { networkOf } from './network.ts';
export { QueueAdds } from './queue-adds.ts';
export { RateLimit, type RateLimitOptions, RateLimits } from './rate-limit.ts';
export { RequestContext, type RequestFacts } from './request-context.ts';
export { REDIS } from './redis.ts';
export { inPieces, RetentionRuns, sumOver } from './retention-runs.ts';
export type { RetentionRun } from './retention-runs.repository.ts';
export { isRefusal, Refusal } from './refusal.ts';
export { Transactions, type UnitOfWork } from './transactions.ts';
export { AUDIENCES, Public } from './http/audience.ts';
export {
  boundRequests,
  type BoundsRefusal,
  FLOOD,
  MAX_HEADER_FIELDS,
  requestBounds,
  tooManyRequests,
} from './http/bounds.ts';
export { type Bounds, fastifyAdapter, type FaultAnswers } from './http/fastify.ts';
export { ObservabilityListener } from './http/observability-listener.ts';
export { ObservabilityModule } from './http/observability.module.ts';
export { RequestLog } from './http/request-log.ts';
export { isHangUp, isUnavailable } from './http/unavailable.ts';
export { serve } from './http/serve.ts';
export { start } from './http/start.ts';
export { Zones } from './zones.ts';
export { hasVisible, withoutBidiControls } from './http/plain-text.ts';
