"""The people of the story whom something in particular happens to; the README names them."""

from datetime import date

from local_stack.demo_people import MASTERCARD, VISA, DemoCustomer, Owned, Profile


def _person(name: str, born: date, phone: str, address: str, linked: str = VISA) -> DemoCustomer:
    profile = Profile(name, born, phone, address)
    return DemoCustomer(profile, (linked,), (Owned("Everyday", ()),))


OWES_LONGEST, OWES_LONG, OWES = 1001, 1002, 1003
TRAVELS, IS_REFUSED = 1004, 1005
IS_SHUT_OUT, PAYS_LATE = 1006, 1007
"""Their numbers among the actors."""

PEOPLE = {
    OWES_LONGEST: _person(
        "Oliver Grant", date(1971, 3, 8), "+14155550151", "88 Bluxome St, San Francisco, CA 94107"
    ),
    OWES_LONG: _person(
        "Pia Sorensen",
        date(1984, 10, 2),
        "+12065550152",
        "1000 4th Ave, Seattle, WA 98104",
        MASTERCARD,
    ),
    OWES: _person(
        "Ravi Menon", date(1990, 6, 25), "+15125550153", "301 W 2nd St, Austin, TX 78701"
    ),
    TRAVELS: _person(
        "Holly Winters",
        date(1987, 1, 19),
        "+17205550154",
        "1701 Wynkoop St, Denver, CO 80202",
        MASTERCARD,
    ),
    IS_REFUSED: _person(
        "Wren Castle", date(1995, 9, 12), "+12125550155", "20 W 34th St, New York, NY 10001"
    ),
    IS_SHUT_OUT: _person(
        "Dora Fields", date(1999, 4, 30), "+12065550156", "2000 2nd Ave, Seattle, WA 98121"
    ),
    PAYS_LATE: _person(
        "Noah Bergman", date(1979, 11, 3), "+16175550157", "84 Beacon St, Boston, MA 02108"
    ),
}
