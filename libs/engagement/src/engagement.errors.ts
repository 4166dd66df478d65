/** Every expected 'no' of this lib that is not dispatch's. */
export type EngagementRefusal = 'reference_invalid' | 'too_many_forwards';
