"""How the local stack says that it cannot do what it was asked to do."""

REFUSED = 2
"""The exit code after a refusal, here and in every command of the product."""
FAILED = 1


class Refusal(Exception):
    """One sentence that names the thing in the way and what it wants."""


class Failure(Exception):
    """Something that should have worked did not, told in one line and the log's last ones."""
