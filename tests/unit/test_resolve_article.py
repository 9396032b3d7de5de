import re
from datetime import date

import pytest

from schemas.records import (
    CleanArticle,
    ExtractedEvent,
    ExtractedEvents,
    Mention,
    ModelInfo,
    RawSegment,
    ResolvedEvent,
    Sentence,
    SentenceExtraction,
)
from services.resolve.transform import MOST_LISTED, resolve_article

MODEL = ModelInfo(name="m", version="1", sha256="0" * 64)


def resolve(
    *lines: tuple[str, list[tuple[str, str, str, str]]], published: date | None = date(2024, 5, 17), source: str = ""
) -> list[ResolvedEvent]:
    """Events of an article given as sentences with [marked] sides and events (type, actor, recipient, quote)."""
    text, sentences, found = "", [], []
    for number, (marked, events) in enumerate(lines):
        start = len(text)
        spans, last = [], 0
        for match in re.finditer(r"\[([^\]]+)\]", marked):
            text += marked[last : match.start()]
            spans.append((len(text), len(text) + len(match[1])))
            text += match[1]
            last = match.end()
        text += marked[last:]
        sentences.append(Sentence(start=start, end=len(text), part="body", paragraph=0))
        words = [text[a:b] for a, b in spans]
        found.append(
            SentenceExtraction(
                sentence=number,
                mentions=[Mention(start=a, end=b, score=1) for a, b in spans],
                events=[
                    ExtractedEvent(
                        type=kind,
                        score=0.9,
                        actors=[words.index(actor)] if actor else [],
                        recipients=[words.index(recipient)] if recipient else [],
                        quote_start=text.index(quote, start),
                        quote_end=text.index(quote, start) + len(quote),
                        claim="asserted",
                        timing="new",
                        tone="neutral",
                        peace="none",
                    )
                    for kind, actor, recipient, quote in events
                ],
            )
        )
        text += " "
    article = CleanArticle(
        article_id="a",
        text=text,
        sentences=sentences,
        raw_map=[RawSegment(clean_start=0, raw_field="text", raw_start=5, length=len(text))],
        language="en",
        published_at=published,
        published_at_reason=None if published else "none given",
        fingerprint="0" * 16,
        source=source,
    )
    return resolve_article(ExtractedEvents(article_id="a", article=article, sentences=found, model=MODEL))


def sides(event: ResolvedEvent) -> tuple[list[str], list[str]]:
    return [s.code for s in event.actors], [s.code for s in event.recipients]


def test_names_pronouns_and_descriptions_are_followed_through_the_article() -> None:
    events = resolve(
        (
            "[Kenyan Foreign Minister Alfred Mutua] met [Somali President Hassan Sheikh] on Thursday.",
            [("CONSULT", "Kenyan Foreign Minister Alfred Mutua", "Somali President Hassan Sheikh", "met")],
        ),
        ("[Mutua] praised [Mogadishu].", [("SUPPORT", "Mutua", "Mogadishu", "praised Mogadishu")]),
        ("[Both sides] signed a pact.", [("SUPPORT", "Both sides", "", "signed a pact")]),
    )
    assert sides(events[0]) == (["KEN"], ["SOM"])
    assert sides(events[1]) == (["KEN"], ["SOM"])
    assert set(sides(events[2])[0]) == {"KEN", "SOM"}
    assert (events[0].when.date, events[0].when.granularity) == ("2024-05-16", "day")


def test_we_is_the_government_that_publishes() -> None:
    [event] = resolve(
        ("[We] condemn the attack.", [("ACCUSE", "We", "", "condemn the attack")]), source="Australian Government"
    )
    assert sides(event) == (["AUS"], [])


def test_an_event_that_the_text_does_not_date_has_no_date_but_a_reason() -> None:
    [event] = resolve(("[Peru] asked [Chile] for help.", [("REQUEST", "Peru", "Chile", "asked Chile for help")]))
    assert event.when.date is None
    assert event.when.reason


def test_without_a_publication_date_only_full_dates_resolve() -> None:
    line = "[Peru] asked [Chile] for help on {}."
    event = ("REQUEST", "Peru", "Chile", "asked")
    assert resolve((line.format("Friday"), [event]), published=None)[0].when.date is None
    assert resolve((line.format("3 May 2011"), [event]), published=None)[0].when.date == "2011-05-03"


def test_an_act_of_last_month_is_background() -> None:
    [event] = resolve(
        ("[Peru] expelled two envoys of [Chile] on 2 April.", [("SANCTION", "Peru", "Chile", "expelled two envoys")])
    )
    assert (event.when.date, event.timing) == ("2024-04-02", "background")


def test_one_act_told_twice_is_one_event_with_two_mentions() -> None:
    quote = "froze the assets of Chilean banks"
    [event] = resolve(
        (f"[Peru] {quote.replace('Chilean', '[Chilean]')}.", [("SANCTION", "Peru", "Chilean", quote)]),
        (f"[Peru] on Monday {quote.replace('Chilean', '[Chilean]')}.", [("SANCTION", "Peru", "Chilean", quote)]),
    )
    assert len(event.other_mentions) == 1
    assert event.when.date == "2024-05-13"


def test_offsets_lead_to_the_words_in_both_texts() -> None:
    [event] = resolve(("[Peru] asked [Chile] for help.", [("REQUEST", "Peru", "Chile", "asked Chile for help")]))
    assert event.evidence.quote == "asked Chile for help"
    assert (event.evidence.raw_start, event.evidence.raw_end) == (event.evidence.start + 5, event.evidence.end + 5)


def test_the_same_input_gives_the_same_ids() -> None:
    line = ("[Peru] asked [Chile] for help.", [("REQUEST", "Peru", "Chile", "asked Chile for help")])
    assert resolve(line)[0].event_id == resolve(line)[0].event_id


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("the Russian-Chinese commission", {"RUS", "CHN"}),
        ("Western officials", {"WEST"}),
        ("European governments", {"EU"}),
        ("Russia's ambassador to Poland", {"RUS"}),
        ("the Kremlin", {"RUS"}),
        ("Daesh", {"ISIL"}),
        ("two men", {"UNK"}),
    ],
)
def test_side_codes(words: str, codes: set[str]) -> None:
    [event] = resolve((f"[{words}] spoke.", [("STATEMENT", words, "", "spoke")]))
    assert set(sides(event)[0]) == codes


def test_two_readings_of_the_same_words_are_one_event() -> None:
    [event] = resolve(
        (
            "[Peru] and [Lima] froze the assets of [Chilean] banks.",
            [
                ("SANCTION", "Peru", "Chilean", "froze the assets of Chilean banks"),
                ("SANCTION", "Lima", "Chilean", "froze the assets of Chilean banks"),
            ],
        )
    )
    assert event.other_mentions == []


def test_nameless_police_are_those_of_the_country_where_the_sentence_plays() -> None:
    arrest = ("COERCE", "Police", "ten union leaders", "arrested ten union leaders")
    assert sides(resolve(("[Police] arrested [ten union leaders] in Lagos.", [arrest]))[0])[0] == ["NGA"]
    assert sides(resolve(("[Police] arrested [ten union leaders].", [arrest]))[0])[0] == ["UNK"]


def test_whom_the_article_introduced_stands_before_a_namesake_of_the_tables() -> None:
    events = resolve(
        (
            "[Peruvian envoy Rosa Putin] praised [Chile].",
            [("SUPPORT", "Peruvian envoy Rosa Putin", "Chile", "praised")],
        ),
        ("[Putin] then flew to [Chile].", [("CONSULT", "Putin", "Chile", "flew to")]),
    )
    assert sides(events[1]) == (["PER"], ["CHL"])


def test_the_bloc_is_the_organisation_named_before() -> None:
    events = resolve(
        ("[The African Union] met [Kenya].", [("CONSULT", "The African Union", "Kenya", "met")]),
        ("[The bloc] condemned [Sudan].", [("ACCUSE", "The bloc", "Sudan", "condemned")]),
    )
    assert sides(events[1])[0] == ["AU"]


def test_they_are_the_two_who_met_not_whom_they_talked_of() -> None:
    *_, both = resolve(
        ("[Narges Hosseini], Iran's trade envoy, went home.", []),
        (
            "On Friday [the Peruvian foreign minister] met [the Chilean foreign minister] about [Bolivia]'s gas.",
            [("CONSULT", "the Peruvian foreign minister", "the Chilean foreign minister", "met")],
        ),
        ("[They] agreed to meet again.", [("AGREE", "They", "", "agreed to meet again")]),
    )
    assert {s.code for s in both.actors} == {"PER", "CHL"}
    assert {s.code for s in both.recipients} == {"PER", "CHL"}


def test_they_are_the_group_named_last_where_nobody_met() -> None:
    event = resolve(
        ("[Kenya] lies south of [Ethiopia].", []),
        ("[Ugandan officials] have read the paper on [Sudan].", []),
        ("[They] called it hollow.", [("ACCUSE", "They", "", "called it hollow")]),
    )[0]
    assert sides(event) == (["UGA"], [])


def test_they_are_the_group_of_the_same_sentence_before_the_two_who_met() -> None:
    met = ("[Qatar] hosted [Chad].", [("CONSULT", "Qatar", "Chad", "hosted")])
    *_, known = resolve(met, ("[Kenyan troops] fled after [they] shelled it.", [("ASSAULT", "they", "", "shelled")]))
    assert sides(known) == (["KEN"], [])
    *_, unknown = resolve(met, ("[The rebels] left after [they] shelled it.", [("ASSAULT", "they", "", "shelled")]))
    assert sides(unknown) == (["UNK"], [])


def test_its_forces_are_those_of_the_side_that_speaks_not_of_the_place() -> None:
    event = resolve(
        ("In Doha [Rwanda] denied it and said [its forces] shot first.", [("ASSAULT", "its forces", "", "shot first")])
    )[0]
    assert sides(event) == (["RWA"], [])


def test_a_minister_does_not_act_toward_his_own_capital() -> None:
    [event] = resolve(
        (
            "[Sergei Lavrov] reaffirmed [Moscow]'s commitment to a settlement.",
            [("STATEMENT", "Sergei Lavrov", "Moscow", "reaffirmed Moscow's commitment to a settlement")],
        )
    )
    assert sides(event) == (["RUS"], [])


def test_a_president_does_act_toward_his_own_people() -> None:
    [event] = resolve(
        (
            "[Vladimir Putin] thanked [Russian troops].",
            [("SUPPORT", "Vladimir Putin", "Russian troops", "thanked Russian troops")],
        )
    )
    assert sides(event) == (["RUS"], ["RUS"])


def test_what_goes_on_in_a_dated_meeting_has_its_date() -> None:
    _, praise, _, later = resolve(
        (
            "[Sergei Lavrov] met [the Kenyan envoy] on Friday.",
            [("CONSULT", "Sergei Lavrov", "the Kenyan envoy", "met the Kenyan envoy")],
        ),
        ("[Lavrov] also praised [Kenya].", [("SUPPORT", "Lavrov", "Kenya", "also praised Kenya")]),
        ("[Kenya] thanked [him].", [("SUPPORT", "Kenya", "him", "thanked him")]),
        ("[Lavrov] opposes the plan.", [("REJECT", "Lavrov", "", "opposes the plan")]),
    )
    assert (praise.when.date, praise.when.text) == ("2024-05-17", "on Friday")
    assert later.when.date is None
    assert later.when.reason


def test_no_date_is_handed_on_from_another_actor() -> None:
    _, praise = resolve(
        ("[Kenya] met [Norway] on Friday.", [("CONSULT", "Kenya", "Norway", "met Norway")]),
        ("[Peru] also praised [Kenya].", [("SUPPORT", "Peru", "Kenya", "also praised Kenya")]),
    )
    assert praise.when.date is None


def test_the_same_words_of_other_sides_are_another_event() -> None:
    line = "[Peru] thanked [{}] for it."
    one, other = (
        resolve((line.format(name), [("SUPPORT", "Peru", name, "thanked")]))[0].event_id for name in ("Chile", "Spain")
    )
    assert one != other


def test_events_of_one_type_in_the_same_words_have_ids_of_their_own() -> None:
    found = resolve(
        (
            "[Norway] and [Kenya] met.",
            [("CONSULT", "Norway", "", "met"), ("CONSULT", "Kenya", "", "met")],
        )
    )
    assert len(found) == 2
    assert len({event.event_id for event in found}) == 2


def test_lists_of_an_articles_events_do_not_grow_with_their_square() -> None:
    names = [f"Word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(MOST_LISTED + 20)]
    found = resolve(
        *((f"[Norway] named {n} {n}x {n}y.", [("STATEMENT", "Norway", "", f"named {n} {n}x {n}y")]) for n in names)
    )
    assert len(found) > MOST_LISTED
    assert all(event.article_events == [] for event in found)
    few = resolve(("[Norway] met [Kenya].", [("CONSULT", "Norway", "Kenya", "met")]))
    assert len(few[0].article_events) == 1
