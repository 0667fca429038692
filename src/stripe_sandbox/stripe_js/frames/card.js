// What is known of a card from its number alone, and what is wrong with what was typed.

const BRANDS = [
  { name: "amex", label: "Amex", start: /^3[47]/, length: 15, cvc: 4, groups: [4, 6, 5] },
  { name: "diners", label: "Diners", start: /^3(0[0-5]|[689])/, length: 14, cvc: 3, groups: [4, 6, 4] },
  { name: "mastercard", label: "Mastercard", start: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/ },
  { name: "discover", label: "Discover", start: /^(6011|64[4-9]|65)/ },
  { name: "jcb", label: "JCB", start: /^35/ },
  { name: "unionpay", label: "UnionPay", start: /^62/ },
  { name: "visa", label: "Visa", start: /^4/ },
];
const OTHER = { name: "unknown", label: "", length: 16, cvc: 3, groups: [4, 4, 4, 4] };

export const digits = (text) => text.replace(/\D/g, "");
export const brandOf = (number) => ({ ...OTHER, ...BRANDS.find(({ start }) => start.test(number)) });

export function grouped(number, { groups, length }) {
  const parts = [];
  let from = 0;
  for (const size of groups) {
    parts.push(number.slice(0, length).slice(from, from + size));
    from += size;
  }
  return parts.filter(Boolean).join(" ");
}

// "5" becomes "05 / ", "1234" becomes "12 / 34".
export function asExpiry(text) {
  let typed = digits(text);
  if (/^[2-9]/.test(typed)) typed = `0${typed}`;
  typed = typed.slice(0, 4);
  return typed.length > 2 ? `${typed.slice(0, 2)} / ${typed.slice(2)}` : typed;
}

export function monthAndYear(text) {
  const typed = digits(text);
  return { exp_month: Number(typed.slice(0, 2)), exp_year: 2000 + Number(typed.slice(2, 4)) };
}

function passesLuhn(number) {
  let sum = 0;
  [...number].reverse().forEach((digit, place) => {
    const value = Number(digit) * (place % 2 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return sum % 10 === 0;
}

const wrong = (code, message) => ({ type: "validation_error", code, message });

// Gives Stripe's validation error, or null (https://docs.stripe.com/js/appendix/error_codes).
export const CHECKS = {
  number(text) {
    const number = digits(text);
    if (number.length < brandOf(number).length) return wrong("incomplete_number", "Your card number is incomplete.");
    return passesLuhn(number) ? null : wrong("invalid_number", "Your card number is invalid.");
  },
  expiry(text) {
    const { exp_month: month, exp_year: year } = monthAndYear(text);
    const typed = digits(text);
    if (typed.length >= 2 && (month < 1 || month > 12)) return wrong("invalid_expiry_month", "Your card's expiration month is invalid.");
    if (typed.length < 4) return wrong("incomplete_expiry", "Your card's expiration date is incomplete.");
    const today = new Date();
    if (year < today.getFullYear()) return wrong("invalid_expiry_year_past", "Your card's expiration year is in the past.");
    const isPast = year === today.getFullYear() && month <= today.getMonth();
    return isPast ? wrong("invalid_expiry_month_past", "Your card's expiration date is in the past.") : null;
  },
  cvc(text, number) {
    const isShort = digits(text).length < brandOf(digits(number)).cvc;
    return isShort ? wrong("incomplete_cvc", "Your card's security code is incomplete.") : null;
  },
  postal_code(text) {
    return text.trim().length < 3 ? wrong("incomplete_zip", "Your postal code is incomplete.") : null;
  },
};
