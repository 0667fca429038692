"""The countries of the world, by ISO 3166-1's two letters, as the time zone database lists them.

Source: https://data.iana.org/time-zones/tzdb/iso3166.tab
"""

from collections.abc import Mapping
from importlib.resources import files


class UnknownCountry(ValueError):
    """A text names no country, neither by its two letters nor by its name."""


def _listed() -> dict[str, str]:
    text = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    lines = (line.partition("\t") for line in text.splitlines() if not line.startswith("#"))
    return {code: name for code, _, name in lines}


COUNTRIES: Mapping[str, str] = _listed()
"""Their names in English, by their two letters."""
_BY_NAME = {name.casefold(): code for code, name in COUNTRIES.items()} | {
    "uk": "GB",
    "united kingdom": "GB",
    "usa": "US",
}


def country_of(typed: str) -> str:
    """Give the two letters of a country that is typed as such or by name. Raises UnknownCountry."""
    text = " ".join(typed.split())
    code = _BY_NAME.get(text.casefold(), text.upper())
    if code not in COUNTRIES:
        raise UnknownCountry(f"We know no country “{text[:40]}”.")
    return code
