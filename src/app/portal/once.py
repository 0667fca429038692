"""A form that makes something carries a number of its own, so that sent twice it makes one."""

from uuid import UUID, uuid4, uuid5

ONCE = "once"
"""The name of the field."""


def new_once() -> str:
    return str(uuid4())


def once_id(customer_id: UUID, given: str) -> UUID:
    """Give the id of what a form makes: the same for the same form of the same customer.

    A form without a number, or with one that is none, makes something new.
    """
    try:
        form = UUID(given)
    except ValueError:
        form = uuid4()
    return uuid5(customer_id, form.hex)
