"""Kinds of merchants in everyday words, each for several of Stripe's categories.

Source of the categories: https://docs.stripe.com/issuing/categories
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum


class CategoryGroup(StrEnum):
    """A kind of merchants that people know as one."""

    GROCERIES = "groceries"
    RESTAURANTS = "restaurants and cafés"
    SHOPPING = "clothes, furniture and department stores"
    ELECTRONICS = "computers and electronics"
    SOFTWARE = "software, apps and games"
    MEDIA = "books, music, films and television"
    TRAVEL = "flights, hotels and travel agencies"
    TRANSPORT = "trains, buses, taxis and parking"
    CAR = "fuel, charging and repairs of cars"
    HEALTH = "doctors and pharmacies"
    HOME = "building, garden and utilities"
    LEISURE = "sport, culture and outings"
    LEARNING = "schools and courses"


GROUPS: Mapping[CategoryGroup, frozenset[str]] = {
    CategoryGroup.GROCERIES: frozenset(
        {
            *("grocery_stores_supermarkets", "miscellaneous_food_stores", "bakeries"),
            *("candy_nut_and_confectionery_stores", "dairy_products_stores", "wholesale_clubs"),
            "freezer_and_locker_meat_provisioners",
        }
    ),
    CategoryGroup.RESTAURANTS: frozenset(
        {"eating_places_restaurants", "fast_food_restaurants", "drinking_places", "caterers"}
    ),
    CategoryGroup.SHOPPING: frozenset(
        {
            *("department_stores", "discount_stores", "variety_stores", "family_clothing_stores"),
            *("miscellaneous_general_merchandise", "shoe_stores", "cosmetic_stores"),
            *("mens_and_boys_clothing_and_accessories_stores", "mens_womens_clothing_stores"),
            *("womens_ready_to_wear_stores", "womens_accessory_and_specialty_shops"),
            *("childrens_and_infants_wear_stores", "sports_and_riding_apparel_stores"),
            *("miscellaneous_apparel_and_accessory_shops", "luggage_and_leather_goods_stores"),
            "furniture_home_furnishings_and_equipment_stores_except_appliances",
            *("miscellaneous_home_furnishing_specialty_stores", "hobby_toy_and_game_shops"),
            *("gift_card_novelty_and_souvenir_shops", "miscellaneous_specialty_retail"),
            *("marketplaces", "direct_marketing_catalog_merchant"),
            "jewelry_stores_watches_clocks_and_silverware_stores",
        }
    ),
    CategoryGroup.ELECTRONICS: frozenset(
        {
            *("electronics_stores", "computers_peripherals_and_software", "computer_repair"),
            *("household_appliance_stores", "camera_and_photographic_supply_stores"),
            *("electronics_repair_shops", "telecommunication_equipment_and_telephone_sales"),
        }
    ),
    CategoryGroup.SOFTWARE: frozenset(
        {
            *("computer_software_stores", "digital_goods_applications", "digital_goods_games"),
            *("digital_goods_large_volume", "computer_programming", "computer_network_services"),
            "information_retrieval_services",
        }
    ),
    CategoryGroup.MEDIA: frozenset(
        {
            *("book_stores", "books_periodicals_and_newspapers", "digital_goods_media"),
            *("record_stores", "news_dealers_and_newsstands", "motion_picture_theaters"),
            "cable_satellite_and_other_pay_television_and_radio",
            *("direct_marketing_subscription", "video_tape_rental_stores"),
        }
    ),
    CategoryGroup.TRAVEL: frozenset(
        {
            *("airlines_air_carriers", "hotels_motels_and_resorts", "airports_flying_fields"),
            *("travel_agencies_tour_operators", "cruise_lines", "car_rental_agencies"),
            *("trailer_parks_campgrounds", "recreational_vehicle_rentals", "timeshares"),
            *("direct_marketing_travel", "duty_free_stores"),
        }
    ),
    CategoryGroup.TRANSPORT: frozenset(
        {
            *("passenger_railways", "railroads", "bus_lines", "commuter_transport_and_ferries"),
            *("taxicabs_limousines", "parking_lots_garages", "tolls_bridge_fees"),
            "transportation_services",
        }
    ),
    CategoryGroup.CAR: frozenset(
        {
            *("service_stations", "automated_fuel_dispensers", "electric_vehicle_charging"),
            *("auto_service_shops", "auto_body_repair_shops", "auto_paint_shops", "car_washes"),
            *("automotive_parts_and_accessories_stores", "automotive_tire_stores"),
            *("auto_and_home_supply_stores", "tire_retreading_and_repair", "towing_services"),
        }
    ),
    CategoryGroup.HEALTH: frozenset(
        {
            *("doctors", "dentists_orthodontists", "drug_stores_and_pharmacies", "hospitals"),
            *("drugs_drug_proprietaries_and_druggist_sundries", "medical_services"),
            *("opticians_eyeglasses", "optometrists_ophthalmologist", "chiropractors"),
            *("osteopaths", "nursing_personal_care", "medical_and_dental_labs"),
            "hearing_aids_sales_and_supplies",
        }
    ),
    CategoryGroup.HOME: frozenset(
        {
            *("home_supply_warehouse_stores", "hardware_stores", "utilities"),
            *("lumber_building_materials_stores", "glass_paint_and_wallpaper_stores"),
            *("nurseries_lawn_and_garden_supply_stores", "telecommunication_services"),
            *("heating_plumbing_a_c", "electrical_services", "cleaning_and_maintenance"),
            *("landscaping_services", "floor_covering_stores"),
        }
    ),
    CategoryGroup.LEISURE: frozenset(
        {
            *("sporting_goods_stores", "sports_clubs_fields", "bicycle_shops"),
            *("theatrical_ticket_agencies", "tourist_attractions_and_exhibits", "aquariums"),
            *("amusement_parks_carnivals", "bowling_alleys", "golf_courses_public"),
            *("miscellaneous_recreation_services", "country_clubs", "bands_orchestras"),
        }
    ),
    CategoryGroup.LEARNING: frozenset(
        {
            *("colleges_universities", "elementary_secondary_schools", "educational_services"),
            *("correspondence_schools", "vocational_trade_schools", "child_care_services"),
            "business_secretarial_schools",
        }
    ),
}
assert GROUPS.keys() == set(CategoryGroup)


def whole_groups(categories: Collection[str]) -> list[CategoryGroup]:
    """Give the groups that are in a list of categories with all they have."""
    listed = frozenset(categories)
    return [group for group, members in GROUPS.items() if members <= listed]


def single(categories: Collection[str]) -> list[str]:
    """Give the categories of a list that are in it without their whole group."""
    covered = {one for group in whole_groups(categories) for one in GROUPS[group]}
    return sorted(set(categories) - covered)


def spelled_out(groups: Sequence[CategoryGroup], singles: Sequence[str]) -> list[str]:
    """Give the categories of groups and single ones together, as a card has them."""
    return sorted({one for group in groups for one in GROUPS[group]} | set(singles))
