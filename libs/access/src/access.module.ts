import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { AgencyKey } from './agency-key.entity.ts';
import { AgencyKeyRepository } from './agency-key.repository.ts';
import { AgencyKeys } from './agency-key.service.ts';
import { Agency } from './agency.entity.ts';
import { AuditTrail } from './audit-trail.service.ts';
import { AgencyRepository } from './agency.repository.ts';
import { Agencies } from './agency.service.ts';
import { Grant } from './grant.entity.ts';
import { GrantRepository } from './grant.repository.ts';
import { Grants } from './grant.service.ts';
import { Invitation } from './invitation.entity.ts';
import { InvitationRepository } from './invitation.repository.ts';
import { Invitations } from './invitation.service.ts';
import { OfficerAdministration } from './officer-administration.service.ts';
import { Officer } from './officer.entity.ts';
import { OfficerRepository } from './officer.repository.ts';
import { Officers } from './officer.service.ts';
import { OidcClients } from './oidc-clients.ts';
import { OidcProviderRepository } from './oidc-provider.repository.ts';
import { OidcProviders } from './oidc-providers.service.ts';
import { OidcSignIn } from './oidc-sign-in.service.ts';
import { Oidc } from './oidc.service.ts';
import { PasswordCheck } from './password-check.service.ts';
import { Passwords } from './password.service.ts';
import { Review } from './review.entity.ts';
import { ReviewRepository } from './review.repository.ts';
import { Reviews } from './review.service.ts';
import { SecondFactorRow } from './second-factor.entity.ts';
import { SecondFactorRepository } from './second-factor.repository.ts';
import { SecondFactor } from './second-factor.service.ts';
import { Session } from './session.entity.ts';
import { SessionRepository } from './session.repository.ts';
import { Sessions } from './session.service.ts';
import { SignInThrottle } from './sign-in-throttle.ts';
import { SignIn } from './sign-in.service.ts';

const entities = [Agency, AgencyKey, Grant, Invitation, Officer, Review, SecondFactorRow, Session];

const repositories = [
  AgencyKeyRepository,
  AgencyRepository,
  GrantRepository,
  InvitationRepository,
  OfficerRepository,
  OidcProviderRepository,
  ReviewRepository,
  SecondFactorRepository,
  SessionRepository,
];

const services = [
  AgencyKeys,
  Agencies,
  AuditTrail,
  Grants,
  Invitations,
  OfficerAdministration,
  Officers,
  Oidc,
  OidcProviders,
  OidcSignIn,
  Passwords,
  Reviews,
  SecondFactor,
  Sessions,
  SignIn,
];

/** Needs a PlatformModule beside it. */
@Module({
  imports: [AuditModule, TypeOrmModule.forFeature(entities)],
  providers: [...services, ...repositories, OidcClients, PasswordCheck, SignInThrottle],
  exports: services,
})
export class AccessModule {}
