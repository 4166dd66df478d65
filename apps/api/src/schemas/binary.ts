/** For the OpenAPI document: bytes, which no schema parses. */
const BINARY = { type: 'string', format: 'binary' } as const;

/** The content of an answer that is a picture. */
export const JPEG = { 'image/jpeg': { schema: BINARY } };

/** The field `photo` of a form. */
export const PHOTO_FIELD = { ...BINARY, description: 'A picture as cameras and phones make them.' };
