/** Every expected 'no' of this lib. */
export type AudienceRefusal = 'area_invalid' | 'too_many_registrations' | 'token_unfit' | 'zone_unknown';

/** What the command line is told that reorders positions. */
export type PositionOrderRefusal = 'reorder_running' | 'reorder_barred';
