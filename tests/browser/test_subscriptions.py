"""Subscriptions on the page: made, paused and deleted, with a token that the page keeps to itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from services.desk import register
from services.desk.subscriptions import Channels, Filter, Webhook
from services.desk.views import SubscriptionIn
from tests.desk_server import Desk, running
from tests.unit.test_desk import diplomatic

HOOK = "https://hooks.example/secret/path"


def opened(page: Page, desk: Desk) -> Locator:
    page.goto(desk.url)
    page.get_by_role("button", name="New or change").click()
    dialog = page.get_by_role("dialog", name="Subscriptions")
    expect(dialog.locator(".subs-list li")).not_to_contain_text(["loading"])
    return dialog


def with_token(dialog: Locator, token: str) -> None:
    dialog.get_by_label("Token", exact=True).fill(token)
    dialog.get_by_role("button", name="Use it").click()


def test_a_subscription_is_made_and_raises_an_alert(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        dialog = opened(page, desk)
        with_token(dialog, desk.token)
        expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
        dialog.get_by_label("Name", exact=True).fill("Paris says no")
        dialog.get_by_label("Sides").fill("fra, ita")
        dialog.get_by_label("Dyads").fill("ita|fra")
        dialog.get_by_label("reject", exact=True).check()
        dialog.get_by_label("Words").fill("envoy")
        dialog.get_by_role("button", name="Add a webhook").click()
        dialog.get_by_label("Address of webhook 1").fill(HOOK)
        dialog.get_by_label("Form of webhook 1").select_option("slack")
        dialog.get_by_role("button", name="Add a webhook").click()
        dialog.get_by_role("button", name="Add a webhook").click()
        expect(dialog.locator(".subs-hook")).to_have_count(3)
        dialog.get_by_role("button", name="Take the last webhook away").click()
        dialog.get_by_role("button", name="Take the last webhook away").click()
        expect(dialog.locator(".subs-hook")).to_have_count(1)
        dialog.get_by_role("button", name="Make the subscription").click()
        status = dialog.get_by_role("status")
        expect(status).to_contain_text("Paris says no is made")
        made = register.subscription(desk.store, "paris-says-no")
        assert made is not None
        assert made.filter == Filter(sides=["FRA", "ITA"], dyads=["FRA|ITA"], types=["REJECT"], text="envoy")
        assert made.channels == Channels(topic=True, webhooks=[Webhook(url=HOOK, form="slack")])
        expect(status).to_contain_text(register.secret_of(desk.store, made.id) or "no secret")
        expect(dialog.get_by_role("button", name="Pause Paris says no")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.locator("#watching")).to_contain_text("Paris says no")
        desk.feed(diplomatic())
        expect(page.locator("#stream .row.alerted")).to_contain_text("Paris says no")


def test_by_keyboard_with_a_preset_and_the_filters_that_are_set(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        page.goto(f"{desk.url}/?types=AID&claim=denied&sides=FRA")
        expect(page.locator("#watching")).to_contain_text("Sanctions")
        page.locator("#subs-open").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Subscriptions")
        expect(dialog.get_by_label("Begin with").locator("option")).to_have_count(7)
        dialog.get_by_label("Begin with").select_option("Sanctions")
        expect(dialog.get_by_label("sanction", exact=True)).to_be_checked()
        expect(dialog.get_by_label("Name", exact=True)).to_have_value("Sanctions")
        dialog.get_by_label("Begin with").select_option("the filters set now")
        expect(dialog.get_by_label("sanction", exact=True)).not_to_be_checked()
        expect(dialog.get_by_label("aid", exact=True)).to_be_checked()
        expect(dialog.get_by_label("Sides")).to_have_value("FRA")
        # A name that is taken is told, and what was filled in stays.
        with_token(dialog, desk.token)
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("status")).to_contain_text("there is a subscription sanctions")
        dialog.get_by_label("Name", exact=True).fill("Aid denied")
        dialog.get_by_label("Name", exact=True).press("Enter")
        expect(dialog.get_by_role("status")).to_contain_text("Aid denied is made")
        made = register.subscription(desk.store, "aid-denied")
        assert made is not None
        assert made.filter == Filter(sides=["FRA"], types=["AID"], claim=["denied"])


def test_pausing_keeps_the_webhooks_and_deleting_asks_first(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        hooked = Channels(webhooks=[Webhook(url=HOOK)])
        register.add(desk.store, SubscriptionIn(name="Hooked", channels=hooked, secret="0123456789abcdef"))
        dialog = opened(page, desk)
        status = dialog.get_by_role("status")
        dialog.get_by_role("button", name="Pause Hooked").click()
        expect(status).to_contain_text("A token is needed")
        expect(dialog.get_by_label("Token", exact=True)).to_be_focused()
        with_token(dialog, "not a token of this desk")
        dialog.get_by_role("button", name="Pause Hooked").click()
        expect(status).to_contain_text("does not know this token")
        with_token(dialog, desk.token)
        dialog.get_by_role("button", name="Pause Hooked").click()
        expect(dialog.get_by_role("button", name="Resume Hooked")).to_be_focused()
        paused = register.subscription(desk.store, "hooked")
        assert paused is not None
        assert (paused.enabled, paused.channels) == (False, hooked)
        assert register.secret_of(desk.store, "hooked") == "0123456789abcdef"
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("button", name="Pause Hooked")).to_be_focused()

        dialog.get_by_role("button", name="Delete Hooked").click()
        expect(status).to_contain_text("Press again")
        assert register.subscription(desk.store, "hooked") is not None
        dialog.get_by_role("button", name="Really delete Hooked").click()
        expect(status).to_contain_text("Hooked is deleted")
        assert register.subscription(desk.store, "hooked") is None
        expect(page.locator("#watching")).not_to_contain_text("Hooked")
        # What is held is in memory alone: nothing of it is left in the browser.
        stored = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.href]")
        assert stored == [0, 0, "", f"{desk.url}/"]
        page.reload()
        page.get_by_role("button", name="New or change").click()
        expect(dialog.get_by_label("Token", exact=True)).to_have_value("")


@pytest.mark.parametrize("width", [400, 768, 1600])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_dialog_fits_and_every_control_has_a_name(
    browser: Browser, tmp_path: Path, width: int, colours: str
) -> None:
    with running(tmp_path) as desk:
        register.add(desk.store, SubscriptionIn(name="x" * 80))
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=colours)  # type: ignore[arg-type]
        page.goto(desk.url)
        if width <= 1000:
            page.locator("#rail-fold summary").click()
        page.get_by_role("button", name="New or change").click()
        dialog = page.locator("#subs")
        expect(dialog).to_contain_text("xxx")
        for _ in range(2):
            dialog.get_by_role("button", name="Add a webhook").click()
        assert dialog.evaluate(
            "d => [d.scrollWidth <= d.clientWidth, d.getBoundingClientRect().width <= innerWidth]"
        ) == [
            True,
            True,
        ]
        unnamed = dialog.evaluate(
            "d => [...d.querySelectorAll('a, button, input, select')].filter((e) => e.checkVisibility() &&"
            " !(e.ariaLabel || e.textContent.trim() && e.tagName !== 'SELECT' || e.labels?.length))"
            ".map((e) => e.outerHTML)"
        )
        assert unnamed == []
        page.close()
