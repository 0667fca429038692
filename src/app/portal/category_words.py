"""Merchants' categories as people call them.

The card networks' own words are long, and made for accountants; the ones that are met every day get
a plain word here, and all others keep theirs.
"""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "airlines_air_carriers": "Airline",
    "art_dealers_and_galleries": "Art",
    "automated_fuel_dispensers": "Fuel",
    "bakeries": "Bakery",
    "betting_casino_gambling": "Gambling",
    "book_stores": "Books",
    "cable_satellite_and_other_pay_television_and_radio": "Television and radio",
    "car_rental_agencies": "Car rental",
    "computer_software_stores": "Software",
    "computer_network_services": "Online services",
    "department_stores": "Department store",
    "digital_goods_games": "Games",
    "digital_goods_media": "Media",
    "digital_goods_applications": "Apps",
    "drug_stores_and_pharmacies": "Pharmacy",
    "eating_places_restaurants": "Restaurant",
    "electronics_stores": "Electronics",
    "fast_food_restaurants": "Fast food",
    "grocery_stores_supermarkets": "Groceries",
    "home_supply_warehouse_stores": "Home supplies",
    "hotels_motels_and_resorts": "Hotel",
    "miscellaneous_general_merchandise": "General store",
    "passenger_railways": "Railway",
    "service_stations": "Fuel",
    "sporting_goods_stores": "Sports shop",
    "taxicabs_limousines": "Taxi",
    "telecommunication_services": "Telephone and internet",
}


def category(value: str) -> str:
    """Write `grocery_stores_supermarkets` as “Groceries”."""
    return WORDS.get(value) or value.replace("_", " ").capitalize()
