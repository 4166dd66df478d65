import { Module } from '@nestjs/common';
import { AccessModule } from '#access';
import { GrantsController } from './grants.controller.ts';
import { OfficersController } from './officers.controller.ts';
import { OidcController } from './oidc.controller.ts';
import { PasswordController } from './password.controller.ts';
import { ReviewsController } from './reviews.controller.ts';
import { SecondFactorController } from './second-factor.controller.ts';
import { SessionController } from './session.controller.ts';
import { SessionsController } from './sessions.controller.ts';

@Module({
  imports: [AccessModule],
  controllers: [
    GrantsController,
    OfficersController,
    OidcController,
    PasswordController,
    ReviewsController,
    SecondFactorController,
    SessionController,
    SessionsController,
  ],
})
export class AccessApi {}
