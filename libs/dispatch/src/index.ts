export { Alert } from './alert.entity.ts';
export { Alerts } from './alert.service.ts';
export { ALERT_STATES, type AlertAct, type AlertState } from './alert-states.ts';
export {
  type AlertProposal,
  type Instruction,
  type Language,
  type Localised,
  type PublicAlert,
  RING_M,
  type Texts,
  type Tier,
  TIERS,
} from './alert.types.ts';
export { BatchSender } from './batch.service.ts';
export { alertNotFound, type DispatchRefusal } from './dispatch.errors.ts';
export { DISPATCH_JOBS } from './dispatch.jobs.ts';
export { DispatchModule, SendingModule } from './dispatch.module.ts';
export { Ending, type EndRequest } from './ending.service.ts';
export { Feeder } from './feeder.ts';
export { Message } from './message.entity.ts';
export { PublicAlertsModule } from './public-alerts.module.ts';
export { PublicAlerts } from './public-alerts.ts';
export { type Recipient, RecipientReferences } from './recipient-reference.ts';
export { Preview, type AlertPreview } from './preview.service.ts';
export { Release, type Released, type Submission } from './release.service.ts';
export { submissionVersion } from './submission-version.ts';
export type { Withheld } from './wave.repository.ts';
