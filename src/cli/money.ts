// Amounts for a person: minor units written in the currency's own way.

/** `EUR 1,234.50`, `JPY 1,234`, `KWD 1.234`; a code that is no ISO 4217 one stays in minor units. */
export function formatMoney({
  currency,
  amountMinor,
}: {
  readonly currency: string
  readonly amountMinor: number
}): string {
  const digits = digitsOf(currency)
  if (digits === undefined) return `${currency} ${amountMinor.toLocaleString('en')} minor units`
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return `${currency} ${(amountMinor / 10 ** digits).toLocaleString('en', fraction)}`
}

function digitsOf(currency: string): number | undefined {
  if (!/^[A-Z]{3}$/.test(currency)) return undefined
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits
}
