"""Has the tests of faults count what they break."""

from tests.counting import count, product

__all__ = ["count", "product"]
