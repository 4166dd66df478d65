export type { EngagementRefusal } from './engagement.errors.ts';
export { EngagementModule } from './engagement.module.ts';
export { EngagementRetention } from './engagement-retention.service.ts';
export { ForwardLimiter, FORWARDS_PER_WINDOW } from './forward-limiter.ts';
export { Forwards, type ForwardLink } from './forwards.service.ts';
export { alertEnded, OpenAlerts, type OpenAlert } from './open-alerts.ts';
export { MAX_RECEIPTS, RECEIPT_KINDS, Receipts, type ReceiptAnswer, type ReceiptItem } from './receipts.service.ts';
export { Views, type Visit } from './views.service.ts';
