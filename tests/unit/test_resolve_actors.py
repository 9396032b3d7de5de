import re
from datetime import date

import pytest

from services.resolve.actors import code_actor
from services.resolve.gazetteer import organisations, people


@pytest.mark.parametrize(
    ("text", "country", "sector"),
    [
        ("Kenya", "KEN", None),
        ("two Kenyan soldiers", "KEN", "MIL"),
        ("Nigerian police", "NGA", "COP"),
        ("Portugal's interior minister", "PRT", "GOV"),
        ("an opposition lawmaker", None, "LEG"),
        ("the Bulgarian parliament", "BGR", "LEG"),
        ("Nairobi", "KEN", "GOV"),
        ("gunmen", None, "UAF"),
        ("car makers", None, None),
        ("a former Swiss diplomat", "CHE", "ELI"),
        ("Hungary's ambassador to Austria", "HUN", "GOV"),
        ("Abkhazia", "GEO", "PRE"),
    ],
)
def test_country_and_sector_of_descriptions(text: str, country: str | None, sector: str | None) -> None:
    found = code_actor(text)
    assert (found.country, found.sector) == (country, sector)


@pytest.mark.parametrize(
    ("on", "office", "sector"),
    [
        (date(2013, 5, 1), "Prime Minister of the United Kingdom", "GOV"),
        (date(2017, 5, 1), None, "ELI"),
    ],
)
def test_the_office_is_the_one_held_at_the_date(on: date, office: str | None, sector: str) -> None:
    found = code_actor("David Cameron", on)
    assert (found.country, found.sector) == ("GBR", sector)
    assert found.office == office


def test_nobody_known_is_nothing_claimed() -> None:
    found = code_actor("Tullo Brenk")
    assert (found.codes, found.country, found.name, found.office) == ((), None, None, None)


def test_the_tables_are_whole() -> None:
    offices = [o for rows in people().values() for o in rows]
    assert len({(o.name, o.office) for o in offices}) >= 400
    for office in offices:
        assert re.fullmatch(r"[A-Z]{2,6}", office.code), office
        assert re.fullmatch(r"(\d{4}(-\d\d(-\d\d)?)?)?", office.start), office
        assert re.fullmatch(r"(\d{4}(-\d\d(-\d\d)?)?)?", office.end), office
        assert not office.end or office.start[:4] <= office.end[:4], office
    for code, _, name in organisations().values():
        assert re.fullmatch(r"[A-Z]{2,6}", code), name


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Port of Spain", "TTO"),
        ("Port-au-Prince", "HTI"),
        ("Islamabad", "PAK"),
        ("Muscat", "OMN"),
        ("Police", None),
        ("Kennedy", None),
        ("Michael Jordan", None),
        ("Chad Wolf", None),
        ("Georgia Governor Brian Kemp", "USA"),
        ("the Georgian president", "GEO"),
        ("Russian-backed rebels", None),
        ("Tigrayan forces", "ETH"),
    ],
)
def test_names_that_could_be_taken_for_another_country(text: str, country: str | None) -> None:
    assert code_actor(text).country == country


def test_halves_of_a_compound_are_both_sides() -> None:
    assert code_actor("the Franco-German brigade").codes == ("FRA", "DEU")
    assert code_actor("the UN envoy for Syria").codes == ("UN",)
