"""Ephemeral keys at Stripe: what a browser needs to show one issued card."""

import stripe

from app.domain.issuing.showing import CannotShow


class StripeCardKeys:
    """A `CardKeys`. Number and CVC are never asked for here: Stripe shows them to the browser."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def card_key(self, stripe_card_id: str, nonce: str) -> str:
        """Exchange a browser's nonce for a key. Raises CannotShow for one that is spent."""
        try:
            response = await self.client.raw_request_async(
                "post", "/v1/ephemeral_keys", issuing_card=stripe_card_id, nonce=nonce
            )
        except stripe.InvalidRequestError as error:
            raise CannotShow("That took too long. Ask for the number once more.") from error
        return str(response.data["secret"])
