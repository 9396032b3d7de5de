from schemas.records import Attribution, CleanArticle, ExtractedAttribution, ExtractedEvent, Mention, SentenceExtraction
from services.resolve.attribution import attributions, is_hearsay

TEXT = "The Daily Post, citing Western officials, reported that Peru is urging Chile to sign."


def span(words: str) -> tuple[int, int]:
    at = TEXT.index(words)
    return at, at + len(words)


def chain(*links: tuple[str, str]) -> list[Attribution]:
    content = span("that Peru is urging Chile to sign")
    quote = span("Peru is urging Chile to sign")
    event = ExtractedEvent(
        type="REQUEST", score=0.9, actors=[0], recipients=[1], quote_start=quote[0], quote_end=quote[1],
        claim="asserted", timing="new", tone="neutral", peace="none",
    )  # fmt: skip
    found = SentenceExtraction(
        sentence=0,
        mentions=[Mention(start=a, end=b, score=1) for a, b in (span("Peru"), span("Chile"))],
        events=[event],
        attributions=[ExtractedAttribution(source=span(s), cue=span(c), content=content) for s, c in links],
    )
    article = CleanArticle(
        article_id="a", text=TEXT, sentences=[], raw_map=[], language="en", published_at=None,
        published_at_reason="none given", fingerprint="0" * 16,
    )  # fmt: skip
    return attributions(event, found, article, lambda _span: None)


def test_the_chain_starts_with_who_is_nearest_to_the_article() -> None:
    found = chain(("Western officials", "citing"), ("The Daily Post", "reported"))
    assert [a.text for a in found] == ["The Daily Post", "Western officials"]
    assert is_hearsay(found, ["PER"])


def test_a_side_that_speaks_for_itself_is_no_attribution() -> None:
    assert chain(("Peru", "urging")) == []


def test_a_named_official_is_no_hearsay() -> None:
    named = Attribution(text="Chilean lawmaker Rosa Diaz", code="CHL")
    assert not is_hearsay([named], ["PER"])
    assert is_hearsay([Attribution(text="two diplomats")], ["PER"])
    assert not is_hearsay([Attribution(text="Peruvian officials", code="PER")], ["PER"])
