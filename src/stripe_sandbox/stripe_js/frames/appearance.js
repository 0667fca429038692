// Puts on what the page asked for: a theme with its variables and rules
// (https://docs.stripe.com/elements/appearance-api), or the style of a single element
// (https://docs.stripe.com/js/appendix/style). Only properties are taken, never text of a style sheet.

const VARIABLE = /^(color(Primary|Background|Text|TextSecondary|TextPlaceholder|Danger)|fontFamily|fontSizeBase|borderRadius|spacingUnit)$/;
const RULE = /^\.(Input|Label|Error)(--invalid)?(:hover|:focus|::placeholder)?$/;
const PROPERTY =
  /^(backgroundColor|border(Color|Radius|Width|Style)?|boxShadow|color|font(Family|Size|Smoothing|Style|Variant|Weight)|letterSpacing|lineHeight|margin(Bottom|Top)?|opacity|outline|padding|text(Align|Decoration|Shadow|Transform))$/;

function put(style, properties) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (PROPERTY.test(name)) style[name] = String(value);
  }
}

export function wearTheme({ theme = "stripe", variables = {}, rules = {} } = {}) {
  const root = document.documentElement;
  root.dataset.theme = theme === "night" ? "night" : "day";
  for (const [name, value] of Object.entries(variables)) {
    if (VARIABLE.test(name)) root.style.setProperty(`--${name}`, String(value));
  }
  const sheet = new CSSStyleSheet();
  for (const [selector, properties] of Object.entries(rules)) {
    if (!RULE.test(selector)) continue;
    const index = sheet.insertRule(`${selector} {}`, sheet.cssRules.length);
    put(sheet.cssRules[index].style, properties);
  }
  document.adoptedStyleSheets = [sheet];
}

export function wearStyle(element, style) {
  element.removeAttribute("style");
  put(element.style, style?.base);
}
