import { Inject, Injectable, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ENV, type Env, Metrics, tellGoogle } from '#platform';
import { createFcmGateway, type FcmEvent } from './fcm/fcm-gateway.ts';
import type { PushGateway } from './push-gateway.ts';
import { PushMetrics } from './push.metrics.ts';

/** Injection token of the {@link PushGateway} that this process sends through. */
export const PUSH_GATEWAY = Symbol('PUSH_GATEWAY');

/** What an operator has to hear of: nothing is pushed meanwhile, or something was refused. */
const TROUBLE: ReadonlySet<FcmEvent['event']> = new Set(['no-credentials', 'refused', 'unexpected']);

function fromEnv(env: Env, registry: Metrics): PushGateway {
  tellGoogle(env);
  const metrics = new PushMetrics(registry);
  const logger = new Logger('FcmGateway');
  return createFcmGateway({
    projectId: env.FCM_PROJECT_ID,
    endpoint: env.FCM_ENDPOINT,
    ...(env.FCM_CA === undefined ? {} : { caFile: env.FCM_CA }),
    onEvent: (event: FcmEvent) => {
      metrics.note(event);
      if (TROUBLE.has(event.event)) logger.warn(event);
      else logger.log(event);
    },
  });
}

@Injectable()
class GatewayCloser implements OnApplicationShutdown {
  constructor(@Inject(PUSH_GATEWAY) private readonly gateway: PushGateway) {}

  onApplicationShutdown(): Promise<void> {
    return this.gateway.close();
  }
}

@Module({
  providers: [{ provide: PUSH_GATEWAY, inject: [ENV, Metrics], useFactory: fromEnv }, GatewayCloser],
  exports: [PUSH_GATEWAY],
})
export class PushModule {}
