"""A card is bound by what was truly bought, also under its former numbers; checks bind nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

# Those with a risk score, and with journals; the ones from before them have other arguments.
FUNCTIONS = """
SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = :name AND :argument = ANY (proargnames)
"""

SAME_EVENT = (
    "CASE WHEN earlier.amount_minor = amount THEN 'replay' ELSE 'conflict' END",
    """CASE WHEN earlier.amount_minor = amount AND earlier.ordinal = asked_ordinal
                AND earlier.approved_before_minor = approved_before
                AND earlier.currency = asked_currency
                AND earlier.card_id IS NOT DISTINCT FROM the_card.id
                AND EXISTS (SELECT FROM card_authorization AS made
                             WHERE made.id = earlier.authorization_id
                               AND made.stripe_authorization_id = stripe_authorization)
                THEN 'replay' ELSE 'conflict' END""",
)
NUMBERS = (
    "    used_before bigint := 0;\n",
    "    used_before bigint := 0;\n    numbers uuid[];\n",
)
# A card that replaces others counts as one card with them.
USED_BEFORE = (
    """
        SELECT count(*) INTO used_before FROM authorization_request
         WHERE card_id = the_card.id AND""",
    """
        numbers := ARRAY[the_card.id];
        IF the_card.replaces_id IS NOT NULL THEN
            WITH RECURSIVE worn (id, replaces_id) AS (
                SELECT the_card.id, the_card.replaces_id
                 UNION
                SELECT older.id, older.replaces_id
                  FROM card AS older JOIN worn ON older.id = worn.replaces_id)
            SELECT array_agg(worn.id) INTO numbers FROM worn;
        END IF;
        SELECT count(*) INTO used_before FROM authorization_request
         WHERE card_id = ANY (numbers) AND""",
)
FIRST_PLACE = (
    """
        SELECT json_build_object('network_id', made.merchant_network_id,
                                 'name', made.merchant_name)
          INTO first_place
          FROM authorization_request AS asked
          JOIN card_authorization AS made ON made.id = asked.authorization_id
         WHERE asked.card_id = the_card.id AND asked.state <> 'declined'
           AND asked.amount_minor > probe
         ORDER BY asked.requested_at, asked.id LIMIT 1;
""",
    """
        SELECT json_build_object('network_id', place.merchant_network_id,
                                 'name', place.merchant_name)
          INTO first_place
          FROM unnest(numbers) AS worn (id)
         CROSS JOIN LATERAL (
               SELECT asked.requested_at, made.merchant_network_id, made.merchant_name
                 FROM authorization_request AS asked
                 JOIN card_authorization AS made ON made.id = asked.authorization_id
                WHERE asked.card_id = worn.id AND asked.state <> 'declined'
                  AND asked.stripe_approved IS NOT FALSE AND asked.amount_minor > probe
                ORDER BY asked.requested_at, asked.id LIMIT 1) AS place
         ORDER BY place.requested_at LIMIT 1;
""",
)
FIRST_PURCHASE = (
    "WHERE customer_id = the_customer.id AND state = 'approved'\n",
    """WHERE customer_id = the_customer.id AND state = 'approved'
               AND stripe_approved IS NOT FALSE AND amount_minor > probe
""",
)
USED_UP = (
    "WHERE asked.allowance_id = given.id AND asked.state <> 'declined')",
    """WHERE asked.allowance_id = given.id AND asked.state <> 'declined'
                                  AND asked.stripe_approved IS NOT FALSE)""",
)
RECORD = (SAME_EVENT, NUMBERS, USED_BEFORE, FIRST_PLACE, FIRST_PURCHASE, USED_UP)
# What would have passed anyhow leaves the allowance to the one that it was given for.
NEEDED = (
    "fee_minor = fee, step_ms = steps::jsonb\n",
    """fee_minor = fee, step_ms = steps::jsonb,
           allowance_id = CASE WHEN allowance_id IS NULL THEN NULL
               WHEN EXISTS (SELECT FROM json_array_elements(verdicts::json) AS said
                             WHERE said->>'verdict' = 'let pass') THEN allowance_id END
""",
)
# A card that was to stay at its first merchant was locked to one id of it when it was replaced.
FORGET_IDS = """
WITH RECURSIVE staying (id) AS (
    SELECT id FROM card WHERE lock_to_first_merchant AND merchant_lock IS NULL
     UNION
    SELECT card.id FROM card JOIN staying ON card.replaces_id = staying.id
     WHERE card.lock_to_first_merchant)
UPDATE card SET merchant_lock = NULL FROM staying
 WHERE card.id = staying.id AND card.merchant_lock IS NOT NULL
"""


def upgrade() -> None:
    for before, after in RECORD:
        _change("record_authorization_request", "asked_risk", before, after)
    _change("write_authorization_decision", "journals", *NEEDED)
    op.execute(FORGET_IDS)


def downgrade() -> None:
    before, after = NEEDED
    _change("write_authorization_decision", "journals", after, before)
    for before, after in reversed(RECORD):
        _change("record_authorization_request", "asked_risk", after, before)


def _change(name: str, argument: str, before: str, after: str) -> None:
    """Replace a part of a function of the decision that is in it once."""
    asked = sa.text(FUNCTIONS).bindparams(name=name, argument=argument)
    defined = op.get_bind().scalars(asked).one()
    assert defined.count(before) == 1
    op.get_bind().exec_driver_sql(defined.replace(before, after))
