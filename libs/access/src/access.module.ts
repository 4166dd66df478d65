import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AgencyKey } from './agency-key.entity.ts';
import { AgencyKeys } from './agency-key.service.ts';
import { Agency } from './agency.entity.ts';
import { AgencyRepository } from './agency.repository.ts';
import { Agencies } from './agency.service.ts';
import { Officer } from './officer.entity.ts';
import { Officers } from './officer.service.ts';
import { Session } from './session.entity.ts';
import { SessionRepository } from './session.repository.ts';
import { Sessions } from './session.service.ts';
import { SignInThrottle } from './sign-in-throttle.ts';
import { SignIn } from './sign-in.service.ts';

const services = [AgencyKeys, Agencies, Officers, Sessions, SignIn];

/** Needs a PlatformModule beside it. */
@Module({
  imports: [TypeOrmModule.forFeature([Agency, AgencyKey, Officer, Session])],
  providers: [...services, AgencyRepository, SessionRepository, SignInThrottle],
  exports: services,
})
export class AccessModule {}
