"""What the database itself guarantees, whoever writes to it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import schema
from app.db import create_engine, create_sessions
from app.domain.funding.states import FundingSourceState
from app.tables import TABLES
from tests.factories import (
    FACTORIES,
    AuditEntryFactory,
    CardFactory,
    ChargeFactory,
    CustomerFactory,
    FundingSourceFactory,
)
from tests.postgres import PostgresServer


@pytest.fixture
async def session(postgres_server: PostgresServer, database: str) -> AsyncIterator[AsyncSession]:
    engine = create_engine(postgres_server.app_url(database))
    async with create_sessions(engine)() as session:
        yield session
    await engine.dispose()


def test_every_table_has_a_factory() -> None:
    assert {type(factory.build()) for factory in FACTORIES} == set(TABLES)


def test_migrations_go_up_and_down_and_match_the_models(postgres_server: PostgresServer) -> None:
    name = postgres_server.create()
    owner, app = postgres_server.owner_url(name), postgres_server.app_url(name)

    schema.upgrade(owner, app)
    assert schema.at_head(app)
    assert schema.differences(owner) == []
    schema.downgrade(owner, app, "base")
    assert not schema.at_head(app)
    schema.upgrade(owner, app)
    assert schema.differences(owner) == []
    postgres_server.drop(name)


class TestDatabase:
    async def test_accepts_a_customer_with_a_default_card(self, session: AsyncSession) -> None:
        customer = CustomerFactory.build()
        session.add(customer)
        await session.flush()
        session.add_all(
            [
                FundingSourceFactory.build(customer_id=customer.id),
                CardFactory.build(customer_id=customer.id),
            ]
        )
        await session.flush()

    async def test_refuses_a_second_default_of_one_customer(self, session: AsyncSession) -> None:
        customer = CustomerFactory.build()
        session.add(customer)
        await session.flush()
        session.add(FundingSourceFactory.build(customer_id=customer.id))
        removed = FundingSourceState.REMOVED
        session.add(FundingSourceFactory.build(customer_id=customer.id, state=removed))
        await session.flush()

        session.add(FundingSourceFactory.build(customer_id=customer.id))
        with pytest.raises(IntegrityError, match="ix_funding_source_default"):
            await session.flush()

    async def test_refuses_the_same_mail_address_in_other_letters(
        self, session: AsyncSession
    ) -> None:
        session.add(CustomerFactory.build(email="Ada@Example.com"))
        await session.flush()

        session.add(CustomerFactory.build(email="ada@example.com"))
        with pytest.raises(IntegrityError, match="ix_customer_email"):
            await session.flush()

    @pytest.mark.parametrize(
        "wrong",
        [{"amount_minor": 0}, {"captured_minor": 2150}, {"captured_minor": 5, "refunded_minor": 6}],
    )
    async def test_refuses_a_charge_that_does_not_add_up(
        self, session: AsyncSession, wrong: dict[str, int]
    ) -> None:
        customer = CustomerFactory.build()
        session.add(customer)
        await session.flush()

        session.add(ChargeFactory.build(customer_id=customer.id, **wrong))
        with pytest.raises(IntegrityError, match="ck_charge"):
            await session.flush()

    async def test_refuses_a_second_charge_with_one_key(self, session: AsyncSession) -> None:
        customer = CustomerFactory.build()
        session.add(customer)
        await session.flush()
        session.add(ChargeFactory.build(customer_id=customer.id, idempotency_key="auth:a:0:1"))
        await session.flush()

        session.add(ChargeFactory.build(customer_id=customer.id, idempotency_key="auth:a:0:1"))
        with pytest.raises(IntegrityError, match="idempotency_key"):
            await session.flush()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entry SET reason = 'none'",
            "DELETE FROM audit_entry",
            "TRUNCATE audit_entry",
        ],
    )
    async def test_refuses_to_change_the_trail(self, session: AsyncSession, statement: str) -> None:
        session.add(AuditEntryFactory.build())
        await session.flush()

        with pytest.raises(DBAPIError, match=r"append-only|permission denied"):
            await session.execute(text(statement))

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE mine (id int)",
            "ALTER TABLE customer ADD COLUMN extra int",
            "DROP TABLE charge",
            "TRUNCATE charge",
            "DROP FUNCTION write_authorization_decision(jsonb)",
        ],
    )
    async def test_refuses_the_application_a_change_of_the_schema(
        self, session: AsyncSession, statement: str
    ) -> None:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            await session.execute(text(statement))
