/** Pieces of SQL that presets are written with. Every column of a raw row is trimmed text, or NULL where it was empty. */
import { sqlText } from '../lake.ts';

/** Ids as the domain takes them: 1 to 128 characters, no control characters, no braces. */
export function validId(id: string, maxLength = 128): string {
  return `(length(${id}) BETWEEN 1 AND ${maxLength} AND NOT regexp_matches(${id}, '[\\x00-\\x1f\\x7f{}]'))`;
}

/** A decimal number; NULL where the text is none. */
export function decimal(text: string): string {
  return `TRY_CAST(${text} AS DECIMAL(18, 6))`;
}

/** A number written the European way: `1.234,50`. */
export function decimalComma(text: string): string {
  return decimal(`replace(replace(${text}, '.', ''), ',', '.')`);
}

/**
 * An instant, as a UTC TIMESTAMP of whole milliseconds: ISO 8601 with or without a zone (without: UTC), a day alone
 * (`2026-01-31` or `20260131`), seconds or milliseconds since 1970; NULL where the text is none of these.
 */
export function instant(text: string): string {
  // Shopify writes `… -0500`; the cast wants the zone without a space before it and with a colon.
  const zoned = `regexp_replace(${text}, ' ?([+-]\\d\\d):?(\\d\\d)$', '\\1:\\2')`;
  const digits = `TRY_CAST(${text} AS BIGINT)`;
  // The usual ways to write it come first: they need no regular expression.
  return `date_trunc('millisecond', CASE
    WHEN ${text} LIKE '____-__-__ __:__:__' OR ${text} LIKE '____-__-__T__:__:__Z' OR length(${text}) = 10 AND ${text}[5] = '-' THEN TRY_CAST(${text} AS TIMESTAMP)
    WHEN regexp_full_match(${text}, '\\d{8}') THEN try_strptime(${text}, '%Y%m%d')
    WHEN regexp_full_match(${text}, '\\d{9,10}') THEN make_timestamp(${digits} * 1000000)
    WHEN regexp_full_match(${text}, '\\d{12,13}') THEN make_timestamp(${digits} * 1000)
    WHEN regexp_matches(${text}, '\\d\\d:\\d\\d.*[+-]\\d\\d:?\\d\\d$') THEN TRY_CAST(${zoned} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
    WHEN ends_with(upper(${text}), ' UTC') THEN TRY_CAST(left(${text}, -4) AS TIMESTAMP)
    ELSE TRY_CAST(${text} AS TIMESTAMP) END)`;
}

/** An instant in a format of strptime's; without a zone: UTC. */
export function instantIn(text: string, format: string): string {
  return `date_trunc('millisecond', try_strptime(${text}, ${sqlText(format)})::TIMESTAMP)`;
}

/** A channel of the domain's from the words that shops and tills use; NULL where the word is unknown. */
export function channel(text: string): string {
  const word = `lower(${text})`;
  return `CASE
    WHEN ${word} IN ('web', 'online', 'website', 'ecommerce', 'e-commerce', 'shop', 'internet') THEN 'web'
    WHEN ${word} IN ('store', 'pos', 'till', 'retail', 'offline', 'branch') THEN 'store'
    WHEN ${word} IN ('app', 'mobile', 'iphone', 'ios', 'android') THEN 'app'
    WHEN ${word} IN ('email', 'e-mail', 'newsletter') THEN 'email'
    WHEN ${word} IN ('phone', 'telephone', 'call', 'callcentre', 'callcenter') THEN 'phone' END`;
}

/** SHA-256 of a lower-cased, trimmed address or id, in hex: a customer's id that names nobody. */
export function hashedId(text: string): string {
  return `sha256(lower(trim(${text})))`;
}

/** Quotes a column's name. */
export function column(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
