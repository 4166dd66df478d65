/** Injection token of {@link DeviceAuthenticator}; the module that knows devices provides it. */
export const DEVICE_AUTHENTICATOR = Symbol('DEVICE_AUTHENTICATOR');

/** Finds the device that holds a secret (without its `g72d_`), or null. */
export type DeviceAuthenticator = (secret: string) => Promise<{ readonly id: number } | null>;
