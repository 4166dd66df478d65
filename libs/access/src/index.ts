export type { AccessRefusal } from './access.errors.ts';
export { AccessModule } from './access.module.ts';
export { type Actor, actorReference, type AgencyKeyActor, type OfficerActor, type Role, ROLES } from './actor.ts';
export { AgencyKeys } from './agency-key.service.ts';
export { type AgencyDraft, type AgencySettings, Agencies } from './agency.service.ts';
export {
  type Action,
  ACTIONS,
  authorize,
  can,
  demandStepUp,
  type Denial,
  type Reach,
  reachOf,
  type Thing,
} from './can.ts';
export { type NeighbourPolicy, NEIGHBOUR_POLICIES } from './agency.entity.ts';
export { AuditTrail, type TrailFilter } from './audit-trail.service.ts';
export type { OpenGrant } from './grant.repository.ts';
export { Grants } from './grant.service.ts';
export { Invitations, type IssuedInvitation } from './invitation.service.ts';
export { LOGIN } from './login.ts';
export { type Administered, type NewOfficer, OfficerAdministration } from './officer-administration.service.ts';
export type { ListedOfficer } from './officer.repository.ts';
export { type OfficerDraft, type OfficerProfile, Officers } from './officer.service.ts';
export { Oidc } from './oidc.service.ts';
export { type OidcEnd, OidcSignIn } from './oidc-sign-in.service.ts';
export { OIDC_FLOW_S } from './oidc-flow.ts';
export { OidcProviders } from './oidc-providers.service.ts';
export { Passwords } from './password.service.ts';
export { type Review, type Verdict, VERDICTS } from './review.entity.ts';
export { type ReviewedAct, Reviews } from './review.service.ts';
export { SecondFactor, type SecondFactorStatus } from './second-factor.service.ts';
export { SESSION_LIFETIME_S, Sessions, type SessionStart, type SessionView } from './session.service.ts';
export { type Client, SIGN_IN_LIMITS, SignInThrottle } from './sign-in-throttle.ts';
export { type Beginning, type Opened, type Proof, SignIn } from './sign-in.service.ts';
export { STEP_UP_S } from './step-up.ts';
