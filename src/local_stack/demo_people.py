"""Who the demo's customers are, what they have linked, and which virtual cards they hold."""

from datetime import date, datetime

import msgspec

from app.adapters.stripe_test_helpers import network_id_of
from app.domain.identity.credentials import DEMO_EMAIL
from app.domain.identity.customers import Person
from app.domain.issuing.cards import CardControls

VISA, MASTERCARD, AMEX = "pm_card_visa", "pm_card_mastercard", "pm_card_amex"
DECLINES = "pm_card_chargeCustomerFail"
NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
EXPIRED = "pm_card_chargeDeclinedExpiredCard"
ASKS_HOLDER = "pm_card_authenticationRequired"
GROCERIES = "grocery_stores_supermarkets"
BOOKS = "book_stores"
SOFTWARE = "computer_software_stores"
FINANCE_EMAIL = "finance@example.com"
ADOBE = network_id_of("Adobe")
"""A merchant's id at the network."""


class Bought(msgspec.Struct, frozen=True):
    """A purchase, and what the merchant did then: capture, reverse, or nothing yet.

    After a capture it can have given something back.
    """

    amount_minor: int
    merchant: str
    category: str = "fast_food_restaurants"
    country: str = "US"
    then: str | None = None
    capture_minor: int | None = None
    refund_minor: int | None = None


class Owned(msgspec.Struct, frozen=True):
    """A virtual card and what is bought with it, in order; a frozen one is frozen before that."""

    nickname: str
    bought: tuple[Bought, ...]
    controls: CardControls = CardControls()
    frozen: bool = False


class Profile(msgspec.Struct, frozen=True):
    """A person of the demo, at an address in the United States."""

    name: str
    born: date
    phone: str
    address: str
    email: str = ""

    @property
    def person_email(self) -> str:
        return self.email or f"{self.name.replace(' ', '.')}@example.com".lower()

    def person(self, terms_accepted_at: datetime, mark: str = "") -> Person:
        """Give the person as they enrol. With a mark they do so under an e-mail address of it."""
        first, last = self.name.split()
        line1, city, region_and_code = self.address.split(", ")
        region, postal_code = region_and_code.split()
        return Person(
            email=self.email or f"{first}.{last}{mark}@example.com".lower(),
            first_name=first,
            last_name=last,
            birth_date=self.born,
            phone=self.phone,
            address_line1=line1,
            city=city,
            region=region,
            postal_code=postal_code,
            country="US",
            terms_accepted_at=terms_accepted_at,
            terms_accepted_ip="203.0.113.24",
        )


class DemoCustomer(msgspec.Struct, frozen=True):
    profile: Profile
    sources: tuple[str, ...]
    cards: tuple[Owned, ...]


NORA = Profile(
    "Nora Fields", date(1990, 5, 17), "+14155550117", "1 Ferry Building, San Francisco, CA 94111"
)
"""The person that `make demo` plays with, anew each time."""

MAYA = DemoCustomer(
    Profile(
        "Maya Lindqvist",
        date(1988, 4, 12),
        "+14155550142",
        "2200 Mission St, San Francisco, CA 94110",
        DEMO_EMAIL,
    ),
    (VISA, MASTERCARD),
    (
        Owned(
            "Everyday",
            (
                Bought(1999, "Blue Bottle", then="capture"),
                Bought(12_900, "Hotel Vertigo", "hotels_motels_and_resorts"),
                Bought(0, "Netflix", "cable_satellite_and_other_pay_television_and_radio"),
                Bought(8900, "Patagonia", "sporting_goods_stores", then="reverse"),
                # With a tip beyond what was held, which is charged afterwards.
                Bought(5200, "Zuni Cafe", then="capture", capture_minor=6240),
            ),
        ),
        Owned(
            "Groceries only",
            (
                Bought(6415, "Trader Joe's", GROCERIES, then="capture", refund_minor=1200),
                Bought(4320, "Whole Foods", GROCERIES),
                Bought(2400, "Shell", "service_stations"),
            ),
            CardControls(allowed_categories=[GROCERIES]),
        ),
    ),
)
JONAH = DemoCustomer(
    Profile("Jonah Okafor", date(1979, 11, 3), "+15125550163", "418 E 6th St, Austin, TX 78701"),
    (NO_FUNDS,),
    (
        Owned(
            "Online",
            (
                Bought(5999, "Steam", "digital_goods_games"),
                Bought(1299, "Spotify", "digital_goods_media"),
            ),
        ),
    ),
)
PRIYA = DemoCustomer(
    Profile(
        "Priya Raman",
        date(1992, 7, 21),
        "+16175550128",
        "77 Massachusetts Ave, Cambridge, MA 02139",
    ),
    (AMEX,),
    (
        Owned(
            "Small things",
            (
                # A little more than was held: too little to charge, so it is owed.
                Bought(3100, "Tatte Bakery", "bakeries", then="capture", capture_minor=3131),
                Bought(4200, "MIT Press", BOOKS),
            ),
            CardControls(daily_limit_minor=5000),
        ),
        Owned(
            "At home only",
            (Bought(2750, "Fnac", BOOKS, country="FR"), Bought(3485, "Harvard Coop", BOOKS)),
            CardControls(allowed_countries=["US"]),
        ),
    ),
)
TOM = DemoCustomer(
    Profile(
        "Tom Becker", date(1965, 1, 30), "+13125550109", "1901 W Madison St, Chicago, IL 60612"
    ),
    (DECLINES, VISA),
    (
        Owned(
            "With a second card behind",
            (Bought(7450, "Home Depot", "home_supply_warehouse_stores", then="capture"),),
        ),
        Owned(
            "One time",
            (Bought(1500, "Pop-up Store", "miscellaneous_general_merchandise"),) * 2,
            CardControls(single_use=True),
        ),
    ),
)
SOFIA = DemoCustomer(
    Profile("Sofia Alvarez", date(2001, 9, 9), "+12125550184", "350 5th Ave, New York, NY 10118"),
    (EXPIRED,),
    (Owned("Trips", (Bought(21_000, "Amtrak", "passenger_railways"),)),),
)
HANNAH = DemoCustomer(
    Profile("Hannah Weiss", date(1996, 2, 28), "+12065550171", "400 Broad St, Seattle, WA 98109"),
    (ASKS_HOLDER,),
    (Owned("Subscriptions", (Bought(999, "Audible", "digital_goods_media"),)),),
)
DANIEL = DemoCustomer(
    Profile("Daniel Cho", date(1983, 6, 15), "+13035550136", "1437 Bannock St, Denver, CO 80202"),
    (MASTERCARD,),
    (
        Owned(
            "Adobe only",
            (
                Bought(5499, "Adobe", SOFTWARE, then="capture"),
                Bought(1200, "Figma", SOFTWARE),
            ),
            CardControls(merchant_lock=ADOBE),
        ),
        Owned("Old laptop", (Bought(7999, "Newegg", SOFTWARE),), frozen=True),
    ),
)
CUSTOMERS = (MAYA, JONAH, PRIYA, TOM, SOFIA, HANNAH, DANIEL)
