// Asks the sandbox in the page's name. What would give the page a card number is not among it, nor
// what would answer for the holder of a card.

import { ask, meet } from "./channel.js";

let key = null;
const asks = (name) => (details) => ask(name, { ...details, key });

meet(
  {
    retrieve: asks("retrieve"),
    confirm: ({ client_secret, payment_method }) => ask("confirm", { key, client_secret, payment_method }),
    nonces: asks("nonces"),
    issuing_card: asks("issuing_card"),
  },
  (hello) => {
    key = hello.key;
  },
);
