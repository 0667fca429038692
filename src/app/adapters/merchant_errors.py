"""What can go wrong when a merchant is played."""

from app.errors import AppError


class MerchantRefused(AppError, status=422):
    """Stripe did not do it, and says why."""


class StripeUnclear(AppError, status=503):
    """No answer, or one that proves neither that it was done nor that it was not."""
