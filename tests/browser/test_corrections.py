"""Corrections on the page: by mouse and by keys, with who and when, and what the desk refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from services.desk import feedback
from tests.desk_server import Desk, running
from tests.unit.test_desk import diplomatic


def opened(page: Page, desk: Desk) -> Locator:
    page.goto(f"{desk.url}/?story=s")
    page.get_by_role("button", name="Correct the event told by Example Wire").click()
    return page.get_by_role("dialog", name="Correct this event")


def with_token(dialog: Locator, token: str) -> None:
    dialog.get_by_label("Token", exact=True).fill(token)
    dialog.get_by_role("button", name="Use it").click()


def test_an_event_is_corrected_and_the_story_tells_it(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        desk.feed(diplomatic())
        dialog = opened(page, desk)
        expect(dialog.locator("blockquote")).to_contain_text("the envoy turned down the talks")
        expect(dialog.get_by_label("What is done")).to_have_value("REJECT")
        expect(dialog.get_by_label("Who acts")).to_have_value("FRA")
        with_token(dialog, desk.token)
        dialog.get_by_label("What is done").select_option("ACCUSE")
        dialog.get_by_label("Who acts").fill("usa, fra")
        dialog.get_by_label("Stance on peace talks").select_option("none")
        dialog.get_by_label("Note").fill("He blames Rome.")
        dialog.get_by_role("button", name="Save the correction").click()
        expect(dialog).to_be_hidden()
        detail = page.locator("#detail-body")
        mark = detail.locator(".correction")
        expect(mark).to_contain_text("Corrected by tests")
        expect(mark.locator("time")).to_be_visible()
        assert mark.locator("li").all_text_contents() == [
            "type: REJECT → ACCUSE",
            "actors: FRA → FRA, USA",
            "peace: oppose → none",
        ]
        expect(mark).to_contain_text("He blames Rome.")
        expect(detail.locator(".detail-corrected")).to_contain_text("1 of 1 telling")
        expect(page.locator("#live")).to_have_text("The correction is saved.")
        expect(page.locator("[data-correct]")).to_be_focused()
        ((given,), _) = feedback.latest(desk.store, None, 10)
        assert given.corrected is not None
        assert (given.corrected.actors, given.by) == (["USA", "FRA"], "tests")
        page.reload()
        expect(page.locator("#stream .badge.corrected")).to_have_count(1)


def test_by_keys_not_an_event_and_back(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        desk.feed(diplomatic())
        page.goto(f"{desk.url}/?story=s")
        page.locator("[data-correct]").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Correct this event")
        dialog.get_by_label("Token", exact=True).fill(desk.token)
        page.keyboard.press("Enter")
        box = dialog.get_by_label("Not an event")
        expect(box).to_be_focused()
        page.keyboard.press("Space")
        expect(dialog.get_by_label("What is done")).to_be_disabled()
        page.keyboard.press("Enter")
        expect(page.locator(".correction li")).to_have_text("not an event")
        # The next one begins from there, and takes it back.
        page.keyboard.press("Enter")
        expect(dialog.get_by_label("Not an event")).to_be_checked()
        expect(dialog.get_by_label("Token", exact=True)).to_have_count(0)
        dialog.get_by_label("Not an event").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page.locator(".correction")).to_have_count(2)
        expect(page.locator(".correction").first).to_contain_text("right as it was")
        expect(page.locator(".correction.former")).to_contain_text("Earlier correction")
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.locator("[data-correct]")).to_be_focused()


def test_what_is_refused_is_told_and_what_was_filled_in_stays(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        desk.feed(diplomatic())
        dialog = opened(page, desk)
        status, save = dialog.get_by_role("status"), dialog.get_by_role("button", name="Save the correction")
        dialog.get_by_label("Note").fill("Because.")
        save.click()
        expect(status).to_contain_text("A token is needed")
        expect(dialog.get_by_label("Token", exact=True)).to_be_focused()
        with_token(dialog, "not a token of this desk")
        save.click()
        expect(status).to_contain_text("does not know this token")
        with_token(dialog, desk.token)
        save.click()
        expect(status).to_contain_text("nothing is corrected")
        dialog.get_by_label("Who acts").fill("Slovenia")
        save.click()
        expect(status).to_contain_text("actors")
        expect(dialog.get_by_label("Note")).to_have_value("Because.")
        assert feedback.counts(desk.store)[0] == 0


@pytest.mark.parametrize("width", [400, 768, 1600])
def test_the_dialog_and_the_marks_fit_and_every_control_has_a_name(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    with running(tmp_path) as desk:
        long_word = "x" * 300
        evidence = diplomatic().evidence.model_dump() | {"quote": long_word, "sentence": long_word}
        desk.feed(diplomatic(evidence=evidence))
        feedback.give(desk.store, "e0", lambda _: None, long_word, "y" * 80)
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(f"{desk.url}/?story=s")
        expect(page.locator(".correction")).to_contain_text(long_word)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#detail-body").evaluate("d => d.scrollWidth <= d.clientWidth")
        page.locator("[data-correct]").click()
        dialog = page.locator("#correct")
        assert dialog.evaluate(
            "d => [d.scrollWidth <= d.clientWidth, d.getBoundingClientRect().width <= innerWidth]"
        ) == [True, True]
        unnamed = dialog.evaluate(
            "d => [...d.querySelectorAll('a, button, input, select, textarea')].filter((e) => e.checkVisibility() &&"
            " !(e.ariaLabel || e.tagName === 'BUTTON' && e.textContent.trim() || e.labels?.length))"
            ".map((e) => e.outerHTML)"
        )
        assert unnamed == []
        page.close()
