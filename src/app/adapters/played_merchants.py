"""Merchants to try a card at where no money is real: each shows another side of the product."""

import msgspec


class Preset(msgspec.Struct, frozen=True):
    """A merchant, its category in Stripe's word, and the amount it asks for, in dollars."""

    title: str
    merchant: str
    category: str
    amount: str


COUNTRY = "US"
PRESETS = (
    Preset("Coffee", "Blue Bottle", "fast_food_restaurants", "19.99"),
    Preset("Groceries", "Whole Foods", "grocery_stores_supermarkets", "43.20"),
    Preset("Hotel", "Hotel Vertigo", "hotels_motels_and_resorts", "300.00"),
    Preset("Ten cents", "Parking meter", "service_stations", "0.10"),
    Preset("Card check", "Netflix", "digital_goods_media", "0.00"),
    Preset("Casino", "Lucky Casino", "betting_casino_gambling", "50.00"),
    Preset("Over a day's limit", "Gallery Nine", "art_dealers_and_galleries", "1500.00"),
)
