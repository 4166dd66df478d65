import { SetMetadata } from '@nestjs/common';

/** Metadata of a route or controller: who may call it. A route without any is refused at start. */
export const AUDIENCES = 'audiences';

/** A route that anyone may call, without a credential. */
export const Public = () => SetMetadata(AUDIENCES, ['public']);
