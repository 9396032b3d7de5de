from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import pytest

from schemas.codebook import EventType
from schemas.records import DiplomaticEvent
from services.archive import gdelt, polecat
from services.archive.export import export
from services.archive.files import Archive
from tests.unit.test_desk import diplomatic
from tests.unit.test_track import given

SOURCES = [
    {"outlet": outlet, "family": "f", "url": None, "article_id": f"a{n}", "published_at": None}
    for n, outlet in enumerate(["North Post", "South Post", "South Post"])
]


def archived(folder: Path, events: Sequence[DiplomaticEvent]) -> Path:
    Archive(folder).write([given(event, offset=n) for n, event in enumerate(events)])
    return folder


def exported(folder: Path, form: Any, since: date | None = None, until: date | None = None) -> list[dict[str, str]]:
    out = StringIO()
    done = export(folder, form, since, until, out)
    out.seek(0)
    found = list(csv.DictReader(out, delimiter="," if form == "csv" else "\t"))
    assert done.rows == len(found)
    return found


def test_polecats_forty_columns() -> None:
    assert len(polecat.COLUMNS) == len(set(polecat.COLUMNS)) == 40
    assert polecat.COLUMNS[:7] == (
        "Event ID", "Event Date", "Event Type", "Event Mode", "Intensity", "Quad Code", "Contexts",
    )  # fmt: skip
    assert {c.replace("Actor", "Recipient") for c in polecat.COLUMNS[7:15]} == set(polecat.COLUMNS[15:23])


def test_an_event_as_polecat_has_it() -> None:
    envoy = {"code": "FRA", "text": "the envoy", "country": "FRA", "sector": "GOV", "name": "Jeanne Roc",
             "office": "envoy", "resolved_by": "person"}  # fmt: skip
    crowd = {"code": "FRA", "text": "a crowd\tin Lyon", "country": "FRA", "sector": "CVL", "resolved_by": "demonym"}
    row = polecat.row(diplomatic(actors=[envoy, crowd], recipients=[]))
    assert tuple(row) == polecat.COLUMNS
    told = {column: value for column, value in row.items() if value != "None"}
    assert told == {
        "Event ID": "e0", "Event Date": "2024-05-03", "Event Type": "REJECT", "Intensity": "-2.0", "Quad Code": "3",
        "Actor Name": "Jeanne Roc; a crowd in Lyon", "Actor Country": "FRA", "Primary Actor Sector": "GOV",
        "Actor Sectors": "GOV; CVL", "Actor Title": "envoy", "Actor Name Raw": "the envoy; a crowd in Lyon",
        "Placename": "Geneva", "Country": "CHE", "Latitude": "46.2", "Longitude": "6.1", "Source": "Example Wire",
        "Publication Date": "2024-05-04", "Language": "en", "Version": "0.1.0",
    }  # fmt: skip
    month = diplomatic(when={"date": "2024-05", "granularity": "month"})
    assert polecat.row(month)["Event Date"] == "None"


def test_gdelts_columns() -> None:
    assert len(gdelt.COLUMNS) == len(set(gdelt.COLUMNS)) == 61
    assert [gdelt.COLUMNS.index(c) for c in ("Actor1Code", "Actor2Code", "EventCode", "AvgTone")] == [5, 15, 26, 34]
    assert [gdelt.COLUMNS.index(c) for c in ("Actor2Geo_ADM2Code", "ActionGeo_Lat", "SOURCEURL")] == [47, 56, 60]


def test_a_story_as_gdelt_has_it() -> None:
    actor = {"code": "FRA", "text": "Paris", "country": "FRA", "sector": "GOV", "resolved_by": "capital"}
    row = gdelt.row(diplomatic(actors=[actor], url="https://a.example/1"), articles=3, outlets=2)
    assert tuple(row) == gdelt.COLUMNS
    assert {column: value for column, value in row.items() if value} == {
        "GLOBALEVENTID": "s", "SQLDATE": "20240503", "MonthYear": "202405", "Year": "2024",
        "FractionDate": "2024.3388", "Actor1Code": "FRAGOV", "Actor1Name": "PARIS", "Actor1CountryCode": "FRA",
        "Actor1Type1Code": "GOV", "Actor2Name": "ROME", "EventCode": "120", "EventBaseCode": "120",
        "EventRootCode": "12", "QuadClass": "3", "GoldsteinScale": "-4.0", "NumSources": "2", "NumArticles": "3",
        "ActionGeo_FullName": "Geneva", "ActionGeo_CountryCode": "SZ", "ActionGeo_Lat": "46.2",
        "ActionGeo_Long": "6.1", "DATEADDED": "20240504120000", "SOURCEURL": "https://a.example/1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("AGREE", ("030", "03", True)),
        ("STATEMENT", ("010", "01", True)),
        ("CONCEDE", ("080", "08", True)),
        ("RETREAT", ("", "08", True)),
        ("ACCUSE", ("", "", True)),
        ("COERCE", ("", "", False)),
        ("ASSAULT", ("", "", False)),
    ],
)
def test_cameo_codes_only_where_there_is_one(kind: str, expected: tuple[str, str, bool]) -> None:
    row = gdelt.row(diplomatic(type=kind), 1, 1)
    assert (row["EventCode"], row["EventRootCode"], bool(row["GoldsteinScale"])) == expected


def test_every_type_has_a_root_or_several() -> None:
    assert set(get_args(EventType)) - set(gdelt.ROOT) == {"ACCUSE", "COERCE", "ASSAULT"}


def test_gdelt_dates_are_as_exact_as_the_text() -> None:
    def told(**fields: Any) -> tuple[str, str, str]:
        row = gdelt.row(diplomatic(**fields), 1, 1)
        return row["SQLDATE"], row["MonthYear"], row["Year"]

    nothing = {"date": None, "granularity": None, "reason": "not told"}
    assert told(when={"date": "2024-05", "granularity": "month"}) == ("", "202405", "2024")
    assert told(when={"date": "2023", "granularity": "year"}) == ("", "", "2023")
    assert told(when=nothing) == ("20240504", "202405", "2024")
    assert told(when=nothing, timing="background") == ("", "", "")


def test_what_did_not_happen_is_left_out_where_nothing_could_say_so(tmp_path: Path) -> None:
    kinds = [("CONSULT", "asserted"), ("CONSULT", "planned"), ("AGREE", "planned"), ("CONSULT", "denied")]
    events = [
        diplomatic(event_id=f"e{n}", story_id=f"s{n}", type=kind, claim=claim) for n, (kind, claim) in enumerate(kinds)
    ]
    folder = archived(tmp_path, events)
    assert [row["Event ID"] for row in exported(folder, "polecat")] == ["e0", "e2"]
    assert {row["GLOBALEVENTID"] for row in exported(folder, "gdelt")} == {"s0", "s2"}
    assert len(exported(folder, "csv")) == 4
    assert export(folder, "polecat", None, None, StringIO()).left_out == 2


def test_gdelt_has_a_story_once(tmp_path: Path) -> None:
    events = [
        diplomatic(event_id="e0", url="https://first.example"),
        diplomatic(event_id="e1", url="https://later.example", sources=SOURCES),
    ]
    (row,) = exported(archived(tmp_path, events), "gdelt")
    assert (row["SOURCEURL"], row["NumArticles"], row["NumSources"]) == ("https://first.example", "3", "2")


def test_days_bound_an_export(tmp_path: Path) -> None:
    dates = ["2024-05-03", "2024-05", "2024-05-04", "2024", None]
    events = [
        diplomatic(event_id=f"e{n}", timing="background", when={"date": d, "granularity": None})
        for n, d in enumerate(dates)
    ]
    folder = archived(tmp_path, events)
    assert {r["event_id"] for r in exported(folder, "csv", date(2024, 5, 1), date(2024, 5, 3))} == {"e0", "e1"}
    assert {r["event_id"] for r in exported(folder, "csv", until=date(2024, 5, 4))} == {"e0", "e1", "e2"}
    assert len(exported(folder, "csv")) == 5


def test_json_lines_are_the_records(tmp_path: Path) -> None:
    event = diplomatic(title="Ñandú — “quoted”")
    out = StringIO()
    export(archived(tmp_path, [event]), "jsonl", None, None, out)
    assert DiplomaticEvent.model_validate(json.loads(out.getvalue())) == event
