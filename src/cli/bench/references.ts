/** What the service is measured beside. */
export const REFERENCES = ['node:http', 'node:http+GET', 'express', 'express+GET'] as const;
