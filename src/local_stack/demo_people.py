"""Who the demo's customers are, what they have linked, and which virtual cards they hold."""

from datetime import UTC, date, datetime

import msgspec

from app.domain.identity.customers import Person
from app.domain.issuing.cards import CardControls

VISA, MASTERCARD, AMEX = "pm_card_visa", "pm_card_mastercard", "pm_card_amex"
DECLINES = "pm_card_chargeCustomerFail"
NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
EXPIRED = "pm_card_chargeDeclinedExpiredCard"
TOOLS = "home_supply_warehouse_stores"
TERMS_ACCEPTED = datetime(2026, 9, 1, 9, 30, tzinfo=UTC)


class Bought(msgspec.Struct, frozen=True):
    """A purchase, and what the merchant did then: capture, reverse, or nothing yet."""

    amount_minor: int
    merchant: str
    category: str = "fast_food_restaurants"
    country: str = "US"
    then: str | None = None
    capture_minor: int | None = None


class Owned(msgspec.Struct, frozen=True):
    """A virtual card and what is bought with it, in order."""

    nickname: str
    controls: CardControls
    bought: tuple[Bought, ...] = ()


class DemoCustomer(msgspec.Struct, frozen=True):
    person: Person
    sources: tuple[str, ...]
    cards: tuple[Owned, ...]


def _person(name: str, born: date, address: str) -> Person:
    first, last = name.split()
    line1, city, region_and_code = address.split(", ")
    region, postal_code = region_and_code.split()
    return Person(
        email=f"{first}.{last}@example.com".lower(),
        first_name=first,
        last_name=last,
        birth_date=born,
        phone=f"+1415555{born.year:04}",
        address_line1=line1,
        city=city,
        region=region,
        postal_code=postal_code,
        country="US",
        terms_accepted_at=TERMS_ACCEPTED,
        terms_accepted_ip="203.0.113.24",
    )


def person_of_the_demo(mark: str) -> Person:
    """Give the person `make demo` plays with; the mark makes the e-mail address a new one."""
    person = _person("Nora Fields", date(1990, 5, 17), "1 Ferry Building, San Francisco, CA 94111")
    return msgspec.structs.replace(person, email=f"nora.fields+{mark}@example.com")


ANYWHERE = CardControls()
GROCERIES = CardControls(allowed_categories=["grocery_stores_supermarkets"])

CUSTOMERS = (
    DemoCustomer(
        _person("Maya Lindqvist", date(1988, 4, 12), "2200 Mission St, San Francisco, CA 94110"),
        (VISA, MASTERCARD),
        (
            Owned(
                "Everyday",
                ANYWHERE,
                (
                    Bought(1999, "Blue Bottle", then="capture"),
                    Bought(4320, "Whole Foods", "grocery_stores_supermarkets", then="capture"),
                    Bought(12_900, "Hotel Vertigo", "hotels_motels_and_resorts"),
                    Bought(0, "Netflix", "cable_satellite_and_other_pay_television_and_radio"),
                    Bought(8900, "Patagonia", "sporting_goods_stores", then="reverse"),
                ),
            ),
            Owned(
                "Groceries only",
                GROCERIES,
                (
                    Bought(6415, "Trader Joe's", "grocery_stores_supermarkets", then="capture"),
                    Bought(2400, "Shell", "service_stations"),
                ),
            ),
        ),
    ),
    DemoCustomer(
        _person("Jonah Okafor", date(1979, 11, 3), "418 E 6th St, Austin, TX 78701"),
        (NO_FUNDS,),
        (
            Owned(
                "Online",
                ANYWHERE,
                (Bought(5999, "Steam", "digital_goods_games"), Bought(1299, "Spotify")),
            ),
        ),
    ),
    DemoCustomer(
        _person("Priya Raman", date(1992, 7, 21), "77 Massachusetts Ave, Boston, MA 02115"),
        (AMEX,),
        (
            Owned(
                "Small things",
                CardControls(daily_limit_minor=5000),
                (
                    Bought(3100, "Tatte Bakery", "bakeries", then="capture", capture_minor=2800),
                    Bought(4200, "MIT Press", "book_stores"),
                ),
            ),
            Owned(
                "At home only",
                CardControls(allowed_countries=["US"]),
                (Bought(2750, "Fnac", "book_stores", country="FR"),),
            ),
        ),
    ),
    DemoCustomer(
        _person("Tom Becker", date(1965, 1, 30), "1901 W Madison St, Chicago, IL 60612"),
        (DECLINES, VISA),
        (
            Owned(
                "Fallback",
                ANYWHERE,
                (Bought(7450, "Home Depot", "home_supply_warehouse_stores", then="capture"),),
            ),
            Owned(
                "One time",
                CardControls(single_use=True),
                (
                    Bought(1500, "Unknown Shop", "miscellaneous_general_merchandise"),
                    Bought(1500, "Unknown Shop", "miscellaneous_general_merchandise"),
                ),
            ),
        ),
    ),
    DemoCustomer(
        _person("Sofia Alvarez", date(2001, 9, 9), "350 5th Ave, New York, NY 10118"),
        (EXPIRED,),
        (Owned("Trips", ANYWHERE, (Bought(21_000, "Amtrak", "passenger_railways"),)),),
    ),
)
