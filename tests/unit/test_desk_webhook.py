from __future__ import annotations

import hashlib
import hmac
import json
from ipaddress import ip_address, ip_network
from random import Random

import pytest

from services.desk.outbox import Job
from services.desk.transform import alert
from services.desk.webhook import body, signature, slack_text
from services.web.address import Refused, is_public, may_call, resolve
from services.web.backoff import wait_seconds
from services.web.guard import token_in
from services.web.limits import RateLimit
from tests.unit.test_desk import diplomatic

LOCAL = [ip_network("127.0.0.0/8")]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "240.0.0.1", "::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fec0::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not may_call(address, "https", [])
    assert not may_call(address, "http", [], plain=True)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_public_addresses_are_called_by_https_only(address: str) -> None:
    assert is_public(ip_address(address))
    assert may_call(address, "https", LOCAL)
    assert not may_call(address, "http", LOCAL)
    assert may_call(address, "http", [], plain=True)


def test_allowed_networks_may_be_called() -> None:
    assert may_call("127.0.0.1", "http", LOCAL)
    assert may_call("::ffff:127.0.0.1", "http", LOCAL)
    assert not may_call("10.0.0.1", "http", LOCAL)
    assert not may_call("fe80::1%lo", "http", LOCAL)


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*addresses: str) -> None:
        found = [(0, 0, 0, "", (address, 443)) for address in addresses]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)

    answer("93.184.216.34", "93.184.216.35")
    assert resolve("a.example", 443, "https", []) == "93.184.216.34"
    answer("93.184.216.34", "10.0.0.1")
    with pytest.raises(Refused, match="private network"):
        resolve("a.example", 443, "https", [])
    answer()
    with pytest.raises(OSError, match="no address"):
        resolve("a.example", 443, "https", [])


def job(form: str = "json", revision: int = 1) -> Job:
    return Job("d", "sub", "secret", "https://a.example/", form, alert(diplomatic(), "sub", revision), 1)


def test_the_body_and_its_signature() -> None:
    told = json.loads(body(job()))
    assert (told["kind"], told["delivery_id"], told["alert"]["event"]["story_id"]) == ("alert", "d", "s")
    assert json.loads(body(job(revision=2)))["kind"] == "update"
    made = signature("secret", 1700000000, b"body")
    expected = hmac.new(b"secret", b"1700000000.body", hashlib.sha256).hexdigest()
    assert made == f"t=1700000000,v1={expected}"


def test_slack_text_cannot_mention_or_link() -> None:
    evil = diplomatic(source="<!channel> & co", url="https://a.example/1")
    text = slack_text(alert(evil, "sub", 2))
    assert "&lt;!channel&gt; &amp; co" in text
    assert "Updated: " in text
    assert text.endswith("(<https://a.example/1|source>)")
    for url in ("javascript:x", "https://a|b", "https://a>", None):
        assert "|source>" not in slack_text(alert(diplomatic(url=url), "sub"))
    assert json.loads(body(job("slack")))["text"].startswith("*sub* 2024-05-03")


def test_pauses_double_up_to_the_longest_with_jitter() -> None:
    random = Random(1)
    for tries, whole in ((1, 2.0), (2, 4.0), (5, 32.0), (6, 60.0), (4000, 60.0)):
        waits = [wait_seconds(tries, 2.0, 60.0, random) for _ in range(200)]
        assert whole / 2 <= min(waits) < max(waits) <= whole
        assert max(waits) - min(waits) > whole / 4


def test_the_rate_limit_is_per_address_and_refills() -> None:
    limit = RateLimit(rate=2.0, burst=3)
    assert [limit.wait("a", 0.0) for _ in range(3)] == [0, 0, 0]
    assert limit.wait("a", 0.0) == pytest.approx(0.5)
    assert limit.wait("b", 0.0) == 0
    assert limit.wait("a", 0.5) == 0
    assert limit.wait("a", 0.5) > 0
    assert [limit.wait("a", 1000.0) for _ in range(3)] == [0, 0, 0]
    assert limit.wait("a", 1000.0) > 0


def test_the_rate_limit_forgets_the_eldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.web.limits.MOST_ADDRESSES", 2)
    limit = RateLimit(rate=0.001, burst=1)
    for address in ("a", "b", "c"):
        assert limit.wait(address, 0.0) == 0
    assert limit.wait("a", 0.0) == 0
    assert limit.wait("c", 0.0) > 0


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic YTpiOmM=", "b:c"),
        ("Basic YQ==", None),
        ("Basic ?", None),
        ("Basic /w==", None),
        ("Bearer ", None),
        ("Token abc", None),
        ("", None),
    ],
)
def test_tokens_in_headers(header: str, token: str | None) -> None:
    assert token_in(header) == token
