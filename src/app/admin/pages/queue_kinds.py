"""The kinds of what waits for a person: where each is read, who sees it, and where it is listed."""

from collections.abc import Mapping

import msgspec

from app.admin.approvals.kinds import KINDS


class QueueKind(msgspec.Struct, frozen=True):
    """`rows` gives key, what, since, amount_minor and what an item's own address ends with.

    `names`: how people call a `what` that is a word of ours.
    """

    name: str
    title: str
    # Its name in the table of permissions.
    view: str
    means: str
    listed: str
    item: str
    rows: str
    names: Mapping[str, str] = {}


_KINDS = (
    QueueKind(
        "unmatched_refunds",
        "Unmatched refunds",
        "refunds",
        "A merchant gave money back without saying for which purchase.",
        "/admin/transactions/list?kind=refund&linked=no",
        "/admin/transactions/details/",
        """
        SELECT id::text AS key, merchant_name AS what, occurred_at AS since, amount_minor,
               id::text AS leads_to
          FROM card_transaction WHERE unmatched AND authorization_id IS NULL""",
    ),
    QueueKind(
        "differences",
        "Differences with Stripe",
        "differences",
        "Reconciling found what is not the same here and at Stripe; it wants an explanation.",
        "/admin/differences/list?state=open",
        "/admin/differences/details/",
        """
        SELECT id::text AS key, kind || ': ' || what AS what, first_seen_at AS since,
               abs(coalesce(ours_minor, 0) - coalesce(theirs_minor, 0)) AS amount_minor,
               id::text AS leads_to
          FROM reconciliation_difference WHERE state = 'open'""",
    ),
    QueueKind(
        "reviews",
        "Purchases to review",
        "purchases",
        "Settlement could not finish by itself and says why.",
        "/admin/purchases/list?review=yes",
        "/admin/purchase/",
        """
        SELECT id::text AS key, merchant_name || ': ' || not_handled AS what,
               occurred_at AS since, amount_minor, id::text AS leads_to
          FROM card_authorization WHERE not_handled IS NOT NULL""",
    ),
    QueueKind(
        "uncertain",
        "Outcome not certain yet",
        "requests",
        "A charge had no clear answer; the repair job asks Stripe and usually settles it.",
        "/admin/requests/list?certain=no",
        "/admin/purchase/",
        """
        SELECT asked.id::text AS key, bought.merchant_name AS what, requested_at AS since,
               asked.amount_minor, bought.id::text AS leads_to
          FROM authorization_request AS asked
          JOIN card_authorization AS bought ON bought.id = asked.authorization_id
         WHERE verified_at IS NULL""",
    ),
    QueueKind(
        "receivables",
        "Open receivables",
        "receivables",
        "A customer owes what a merchant took and no linked card paid.",
        "/admin/receivables/list?state=open",
        "/admin/receivables/details/",
        """
        SELECT owed.id::text AS key, customer.first_name || ' ' || customer.last_name AS what,
               owed.opened_at AS since, owed.amount_minor - owed.lowered_minor AS amount_minor,
               owed.id::text AS leads_to
          FROM receivable AS owed JOIN customer ON customer.id = owed.customer_id
         WHERE owed.state = 'open'""",
    ),
    QueueKind(
        "events",
        "Failed events",
        "events",
        "Something that Stripe told us could not be acted on.",
        "/admin/events/list?state=failed",
        "/admin/events/details/",
        """
        SELECT id::text AS key, type AS what, created_at AS since, NULL::bigint AS amount_minor,
               id::text AS leads_to
          FROM inbound_event WHERE state = 'failed'""",
    ),
    QueueKind(
        "jobs",
        "Failed jobs",
        "jobs",
        "Work that is held after its last attempt.",
        "/admin/jobs/list?status=failed",
        "/admin/jobs/details/",
        """
        SELECT id::text AS key, replace(entrypoint, '_', ' ') AS what, created AS since,
               NULL::bigint AS amount_minor, id::text AS leads_to
          FROM pgqueuer WHERE status = 'failed'""",
    ),
    QueueKind(
        "regular_jobs",
        "Regular jobs that failed",
        "regular-jobs",
        "They run again by themselves; the last run says why it failed.",
        "/admin/regular-jobs/list?failed=yes",
        "/admin/regular-jobs/details/",
        """
        SELECT name AS key, replace(name, '_', ' ') AS what, coalesce(ended_at, next_at) AS since,
               NULL::bigint AS amount_minor, name AS leads_to
          FROM regular_job WHERE failed""",
    ),
    QueueKind(
        "mails",
        "Bounced mail",
        "mails",
        "A letter that the mail server did not take.",
        "/admin/mails/list?state=failed",
        "/admin/mails/details/",
        """
        SELECT id::text AS key, replace(kind, '_', ' ') AS what, created_at AS since,
               NULL::bigint AS amount_minor, id::text AS leads_to
          FROM mail WHERE state = 'failed'""",
    ),
    QueueKind(
        "approvals",
        "To approve",
        "approvals",
        "Somebody asked for what a second member has to approve within a day.",
        "/admin/approvals/list?state=waiting",
        "/admin/approval/",
        """
        SELECT id::text AS key, kind AS what, created_at AS since,
               coalesce((arguments->>'outstanding_minor')::bigint,
                        (arguments->>'principal_minor')::bigint
                        + (arguments->>'fee_minor')::bigint) AS amount_minor,
               id::text AS leads_to
          FROM approval WHERE state = 'waiting' AND expires_at > now()""",
        {name: kind.title for name, kind in KINDS.items()},
    ),
)
QUEUES: Mapping[str, QueueKind] = {kind.name: kind for kind in _KINDS}
