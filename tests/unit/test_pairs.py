from services.classify.pairs import find_words


def test_words_are_found_exactly_else_by_their_end() -> None:
    text = "The former president of Norland met the Sudlish envoy."
    assert text[slice(*find_words(text, "the Sudlish envoy"))] == "the Sudlish envoy"
    assert text[slice(*find_words(text, "ex-president of Norland"))] == "of Norland"
    assert find_words(text, "Westland") is None


def test_the_second_side_is_not_read_out_of_the_first() -> None:
    text = "Norland's army fired on Norland's police."
    first = find_words(text, "Norland's army")
    assert text[slice(*find_words(text, "Norland", first))] == "Norland"
    assert find_words(text, "Norland", first)[0] > first[1]
