"""The database itself notes every move of a state, by a trigger that only these tests add."""

from collections.abc import Collection

from tests.product import Product

UNNOTED = "SET soak.unnoted = 'on'"
"""Said first on a connection whose changes are no moves of the product's."""
NOTE = """
CREATE TABLE state_edge (kind text, before text, after text);
CREATE FUNCTION note_state_edge() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
    IF current_setting('soak.unnoted', true) IS DISTINCT FROM 'on' THEN
        INSERT INTO state_edge VALUES (TG_TABLE_NAME, OLD.state, NEW.state);
    END IF;
    RETURN NULL;
END $$;
GRANT SELECT ON state_edge TO PUBLIC;
"""
TRIGGER = """
CREATE TRIGGER note_state_edge AFTER UPDATE OF state ON {table} FOR EACH ROW
WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION note_state_edge();
"""


async def watch(product: Product, tables: Collection[str]) -> None:
    """Have a product's database note every move of a state in these tables."""
    await product.as_owner(NOTE + "".join(TRIGGER.format(table=table) for table in tables))
