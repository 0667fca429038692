// What pages with Stripe's elements share: the way in, and our colours inside its frames.

export const stripeOf = (key) => (window.Stripe && key ? window.Stripe(key) : null);

export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function appearance() {
  return {
    theme: isDark() ? "night" : "stripe",
    variables: {
      colorPrimary: colour("--green"),
      colorBackground: colour("--paper"),
      colorText: colour("--ink"),
      colorDanger: colour("--red"),
      borderRadius: "9px",
      fontFamily: "system-ui, sans-serif",
    },
  };
}
