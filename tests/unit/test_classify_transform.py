from pathlib import Path

import pytest

from schemas.records import CleanArticle, Sentence
from services.classify.decode import MAX_MENTIONS
from services.classify.model import load_model
from services.classify.transform import BatchSize, Classifier

MODEL = Path(__file__).parents[2] / "models" / "events-minilm"
SHORT = ["Peru expelled two envoys of Chile.", "The rains came late."]
LONG = [
    "Kenya's president on Tuesday urged both sides in Sudan to lay down their arms and said Nairobi would host talks.",
    "Rebels shelled the airport while a delegation of the African Union was waiting for its flight to Addis Ababa.",
    "He thanked Norway.",
]


def article(name: str, sentences: list[str]) -> CleanArticle:
    text, spans = "", []
    for sentence in sentences:
        spans.append(Sentence(start=len(text), end=len(text) + len(sentence), part="body", paragraph=0))
        text += sentence + " "
    return CleanArticle(
        article_id=name, text=text or "-", sentences=spans, raw_map=[], language="en", published_at=None,
        published_at_reason="none given", fingerprint="0" * 16,
    )  # fmt: skip


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(load_model(MODEL, "onnx", 2))


def test_an_article_gives_the_same_alone_and_in_company(classifier: Classifier) -> None:
    one, two = article("a", SHORT), article("b", LONG)
    assert classifier.extract([one, two]) == classifier.extract([one]) + classifier.extract([two])


def test_every_span_lies_in_its_article(classifier: Classifier) -> None:
    [found] = classifier.extract([article("b", LONG)])
    assert any(s.events for s in found.sentences)
    for part in found.sentences:
        sentence = found.article.sentences[part.sentence]
        for span in [(m.start, m.end) for m in part.mentions] + [(e.quote_start, e.quote_end) for e in part.events]:
            assert sentence.start <= span[0] < span[1] <= sentence.end
        for event in part.events:
            assert all(0 <= i < len(part.mentions) for i in event.actors + event.recipients)


def test_a_sentence_longer_than_the_encoder_reads_is_read_in_parts(classifier: Classifier) -> None:
    words = "Peru expelled two envoys of Chile and "
    [found] = classifier.extract([article("c", [words * 60])])
    assert sum(len(s.mentions) for s in found.sentences) > MAX_MENTIONS  # of one part


def test_batches_are_told_with_their_padding() -> None:
    sizes: list[BatchSize] = []
    Classifier(load_model(MODEL, "onnx", 2), on_batch=sizes.append).extract([article("b", LONG)])
    assert sum(s.records for s in sizes) == 3
    assert all(s.real_tokens > 0 and s.padding_tokens >= 0 for s in sizes)


def test_an_article_without_sentences_gives_no_findings(classifier: Classifier) -> None:
    [found] = classifier.extract([article("d", [])])
    assert found.sentences == []
