from datetime import date, timedelta

import pytest

from services.resolve.dates import date_event, find_dates, is_past

FRIDAY = date(2023, 5, 26)


def one(text: str, published: date | None = FRIDAY, ahead: bool = False) -> tuple[str | None, str | None]:
    [(_, _, when)] = find_dates(text, published, ahead)
    return when.date, when.granularity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("met on Tuesday", ("2023-05-23", "day")),
        ("met on Friday", ("2023-05-26", "day")),
        ("met earlier this month", ("2023-05", "month")),
        ("met in March", ("2023-03", "month")),
        ("In February, they met", ("2023-02", "month")),
        ("Last week they met", ("2023-05-15", "week")),
        ("May 3 came and went", ("2023-05-03", "day")),
        ("met in November", ("2022-11", "month")),
        ("met last year", ("2022", "year")),
        ("met last week", ("2023-05-15", "week")),
        ("met two days ago", ("2023-05-24", "day")),
        ("met five years ago", ("2018", "year")),
        ("met on Oct. 14", ("2022-10-14", "day")),
        ("met on Sept 11, 2001", ("2001-09-11", "day")),
        ("met on the 24th of February, 2022", ("2022-02-24", "day")),
        ("met on the eve of Friday's summit", ("2023-05-25", "day")),
        ("met in early 2022", ("2022", "year")),
        ("meets tomorrow", ("2023-05-27", "day")),
    ],
)
def test_dates_are_counted_from_publication(text: str, expected: tuple[str, str]) -> None:
    assert one(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("will meet on Monday", "2023-05-29"),
        ("will meet in March", "2024-03"),
        ("will meet on 11 December", "2023-12-11"),
    ],
)
def test_a_planned_act_lies_ahead(text: str, expected: str) -> None:
    assert one(text, ahead=True)[0] == expected


@pytest.mark.parametrize("text", ["on Tuesday", "last year", "in March", "yesterday", "two weeks ago", "next month"])
def test_without_a_publication_date_only_absolute_dates_resolve(text: str) -> None:
    [(_, _, when)] = find_dates(text, None)
    assert when.date is None
    assert when.reason
    assert one("on 3 May 1998", None) == ("1998-05-03", "day")


@pytest.mark.parametrize("text", ["It may march on.", "in the second week", "32 May 2020", "at 10 Downing Street"])
def test_words_that_are_no_dates_give_none(text: str) -> None:
    assert all(when.date is None for _, _, when in find_dates(text, FRIDAY))


def test_a_day_that_does_not_exist_is_null_with_a_reason() -> None:
    when = date_event("met on February 30", 0, 18, FRIDAY)
    assert (when.date, when.reason) == (None, "no such day")


@pytest.mark.parametrize(
    ("text", "past"),
    [
        ("in March", True),
        ("earlier this month", True),
        ("this month", False),
        ("last year", True),
        ("this year", False),
        ("on Tuesday", False),
        ("on May 12", True),
        ("last week", False),
        ("two weeks ago", True),
    ],
)
def test_what_lies_wholly_more_than_a_week_back_is_past(text: str, past: bool) -> None:
    [(_, _, when)] = find_dates(text, FRIDAY)
    assert is_past(when, FRIDAY, timedelta(days=7)) is past
