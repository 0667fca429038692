"""What the back office says of a part that does not answer: what it means, and what to do."""

from collections.abc import Mapping

import msgspec

from app.watch import Trouble

STATUS = "/admin/status"
"""What an open home asks for every other second."""


class Words(msgspec.Struct, frozen=True):
    """A trouble in words for staff."""

    title: str
    means: str
    to_do: str


WORDS: Mapping[Trouble, Words] = {
    Trouble.DATABASE: Words(
        "The database does not answer",
        "Purchases are declined, and nobody can sign in.",
        "Start PostgreSQL again, or look at the network between. Everything else goes on by"
        " itself once it answers.",
    ),
    Trouble.STRIPE: Words(
        "Stripe does not answer",
        "Purchases are declined: no linked card can be charged. What was under way is settled"
        " when Stripe answers again.",
        "Look at status.stripe.com and at this machine's way out to it. Nothing has to be"
        " started again.",
    ),
    Trouble.STRIPE_KEY: Words(
        "Stripe refuses our key",
        "Purchases are declined: no linked card can be charged.",
        "Put a valid key into STRIPE_SECRET_KEY and start the processes again; proxycard doctor"
        " tells whether it works.",
    ),
    Trouble.PAUSED: Words(
        "Charging is paused",
        "More than half of the last charges had no clear outcome, so purchases are declined at"
        " once. One a second is tried, and the first clear answer ends the pause.",
        "Look at status.stripe.com.",
    ),
    Trouble.WORKER: Words(
        "The worker is silent",
        "Purchases are still answered. What Stripe tells us is kept and waits: captures, reversals"
        " and repairs do not happen.",
        "Start proxycard worker, or look at the end of its log.",
    ),
    Trouble.LATE: Words(
        "The work is late",
        "Jobs that are due are not taken in time.",
        "Look at the lists of jobs and events for what fails; start more workers when there is"
        " simply too much.",
    ),
}
