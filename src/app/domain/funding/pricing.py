"""What a purchase costs: the merchant's amount plus our fee, in whole minor units."""

from enum import StrEnum

import msgspec

from app.money import share_half_up

# Stripe's smallest charge in US dollars: https://docs.stripe.com/currencies#minimum-and-maximum
MINIMUM_CHARGE_MINOR = 50
MAXIMUM_CHARGE_MINOR = 99_999_999


class Price(msgspec.Struct, frozen=True):
    """A price plan: a share in basis points, a fixed part and a minimum in minor units."""

    percent_bps: int
    fixed_minor: int
    minimum_minor: int = 0

    def fee(self, amount_minor: int) -> int:
        """Give our fee on an amount, halves rounded up to the cent. Nothing costs nothing."""
        if amount_minor == 0:
            return 0
        share = share_half_up(amount_minor, self.percent_bps)
        return max(share + self.fixed_minor, self.minimum_minor)

    def fee_on_top(self, before_minor: int, amount_minor: int) -> int:
        """Give the fee that an amount adds to what was there before, so that sums never drift."""
        return self.fee(before_minor + amount_minor) - self.fee(before_minor)

    def hold_for(self, before_minor: int, amount_minor: int) -> int:
        """Give what to put on the linked card: amount and fee, at least the smallest charge."""
        if amount_minor == 0:
            return 0
        total = amount_minor + self.fee_on_top(before_minor, amount_minor)
        return max(total, MINIMUM_CHARGE_MINOR)

    def principal_within(self, before_minor: int, total_minor: int) -> int:
        """Give the most that a merchant can have of a total, so that the fee on top of it fits."""
        low, high = 0, max(total_minor, 0)
        while low < high:
            middle = (low + high + 1) // 2
            if middle + self.fee_on_top(before_minor, middle) <= total_minor:
                low = middle
            else:
                high = middle - 1
        return low


class RefundFeePolicy(StrEnum):
    """What becomes of our fee when a merchant gives money back."""

    PROPORTIONAL = "proportional"
    KEPT = "kept"

    def returned(self, earned_minor: int, given_back_minor: int, paid_minor: int) -> int:
        """Give what of an earned fee goes back, halves rounded up to the cent.

        In proportion: all of it when all that was paid comes back.
        """
        if self is RefundFeePolicy.KEPT or paid_minor <= 0 or given_back_minor <= 0:
            return 0
        return (earned_minor * given_back_minor * 2 + paid_minor) // (paid_minor * 2)
