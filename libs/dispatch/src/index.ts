export { Alert } from './alert.entity.ts';
export { AlertRetention, RECIPIENTS_KEPT_DAYS } from './alert-retention.service.ts';
export { Alerts } from './alert.service.ts';
export { ALERT_STATES, type AlertAct, type AlertState } from './alert-states.ts';
export {
  type AlertProposal,
  HOLD_REASONS,
  type HoldReason,
  type Instruction,
  type Language,
  type Localised,
  type PublicAlert,
  RING_M,
  SYSTEM_HOLD_REASONS,
  type SystemHoldReason,
  type Texts,
  type Tier,
  TIERS,
} from './alert.types.ts';
export { BatchSender } from './batch.service.ts';
export { AlertChange } from './change.entity.ts';
export { Changes, type ReadChange } from './change.service.ts';
export { type Approved, CHANGE_KINDS, CHANGE_STATES, type ProposedChange } from './change.types.ts';
export { DeadLetters } from './dead-letters.service.ts';
export { alertNotFound, type DispatchRefusal } from './dispatch.errors.ts';
export { DISPATCH_JOBS } from './dispatch.jobs.ts';
export { DispatchModule, SendingModule } from './dispatch.module.ts';
export { Ending, type EndRequest } from './ending.service.ts';
export { Feeder } from './feeder.ts';
export { Freezing } from './freezing.service.ts';
export { Gaps } from './gaps.service.ts';
export { Holds } from './holds.service.ts';
export { Ladders } from './ladder.service.ts';
export { type Ladder, type LadderRingStanding, MAX_RING_M, MAX_RINGS } from './ladder.types.ts';
export { ASK_REFUSALS, type AskRefusal, LandAsks } from './land-ask.service.ts';
export type { LandAsk } from './land-ask.repository.ts';
export type { Neighbour } from './land.repository.ts';
export { Lands } from './land.service.ts';
export { LAND_STATES, type LandState } from './land-states.ts';
export { LiveAlerts } from './live-alerts.service.ts';
export { Message } from './message.entity.ts';
export { Pacer, type ProviderStanding } from './pacer.ts';
export { PhotoDown } from './photo-down.service.ts';
export { PublicAlertsModule } from './public-alerts.module.ts';
export { PublicCopies, surrogateHeaders } from './public-copies.ts';
export { PublicAlerts } from './public-alerts.ts';
export { type Recipient, RecipientReferences } from './recipient-reference.ts';
export { Preview, type AlertPreview } from './preview.service.ts';
export { Release, type Released, type Submission } from './release.service.ts';
export { Restoration, type Restored } from './restoration.service.ts';
export { submissionVersion } from './submission-version.ts';
export { SystemHolds } from './system-holds.service.ts';
export { TopUp } from './top-up.service.ts';
export { WaveRepository, type Withheld } from './wave.repository.ts';
