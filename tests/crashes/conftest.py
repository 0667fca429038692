"""Has the tests of crashes count what they break."""

from tests.counting import count, product

__all__ = ["count", "product"]
