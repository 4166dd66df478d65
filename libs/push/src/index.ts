export type {
  Mode,
  Platform,
  Provider,
  PushGateway,
  PushKind,
  PushMessage,
  PushOutcome,
  PushRefusal,
} from './push-gateway.ts';
export { createFcmGateway, type FcmEvent, type FcmOptions } from './fcm/fcm-gateway.ts';
export type { CredentialSource } from './fcm/bearer.ts';
export { PUSH_GATEWAY, PushModule } from './push.module.ts';
