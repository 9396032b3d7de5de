"""Photo captions and photo credits among the paragraphs."""

from __future__ import annotations

import re
from typing import Final

from services.normalize.furniture import AGENCY, names_only

LONGEST = 500

_PREFIX = re.compile(
    r"(?:(?:Photos?|Photograph|Images?|Picture|Pictured|Caption|Illustration|Photo illustration|(?:Photo|Image"
    r"|Picture) (?:credit|caption|source)s?|Credit|Screenshot|Screengrab)"
    r"(?: by\b| ?[:/|]| courtesy\b)|FILE(?: PHOTO| IMAGE)?\s?[:–—-]|File (?:photo|image|picture)\b|FILE PHOTO\b"
    r"|(?:Illustrative|Representational?) (?:image|photo)|(?:This|In this) (?:handout|file|undated|combination"
    r"|combo|satellite|image|video grab|grab)\b.{0,40}(?:photo|image|picture|taken|provided|made|released))"
)
_PHOTO_CREDIT = (
    r"(?:AP Photos?/|AFP Photo/|REUTERS/|Reuters/|AFP/|AFP via |EPA/|EPA-EFE/|Xinhua/|TASS/|Getty Images"
    r"|GETTY IMAGES|via Getty|/AFP\b|/ AFP\b"
    r"|/AP\b|/ AP\b|/Reuters\b|/ Reuters\b|/REUTERS\b|/EPA\b|/ EPA\b|/TASS\b|/ TASS\b|via REUTERS|via Reuters"
    r"|via AP\b|Anadolu via|Handout\b|HANDOUT\b|Courtesy\b"
    r"|Photo(?:graph)?: |Photo by |Photos by |Photo/|Image: |Wikimedia Commons|Shutterstock|Alamy|Pool Photo|Sputnik/)"
)
_BRACKETED = re.compile(rf"[\[(][^\[\]()]{{0,120}}{_PHOTO_CREDIT}[^\[\]()]{{0,120}}[\])]\.?$")
_TAIL = re.compile(r"(?:^|[.!?:|]['\"”]?\s+)([^.!?]{2,120})\.?$")
_CREDIT_WORDS = re.compile(
    r"\b(?:via|photos?|handout|courtesy|pool|file|photograph|images?|service|press|ministry|office|press-service)\b",
    re.I,
)
_BY_OUTLET = re.compile(r"(?:[A-Z][\w'’-]+ ?){2,4} / (?:[A-Z][\w'’-]+ ?){1,4}")
_SLASH_END = re.compile(
    rf"(?:^|[.!?|]['\"”]?\s+)[A-Z][\w.'’ -]{{1,50}}\s?[/|]\s?(?:[A-Z][\w.'’ -]{{1,30}}\s?/\s?)?{AGENCY}\.?$"
)
_SITE: Final = (
    r"[\w-]+(?:\.[\w-]+)*\.(?:ru|ua|com|org|net|gov|gov\.\w\w|mil|info|int|eu|uk|cn|ir|tr|pl|de|fr|by|kz|az|am|ge)"
)
_SITE_END = re.compile(rf"(?:^|[.!?]['\"”]?\s+)(?:(?:www\.)?{_SITE}|(?:Photo|Image)s?:? {_SITE})\.?$", re.IGNORECASE)
_POSITION = re.compile(
    r"(?<=\w )\((?:L|C|R|[LR]-[LR]|(?:far |front |second |third |top |bottom |[2-6](?:nd|rd|th)?[ -])?(?:left|right|L|R"
    r"|centre|center|middle)(?: row)?(?: to right)?|(?:from )?[Ll]eft to [Rr]ight|(?:[2-6](?:nd|rd|th) from (?:left"
    r"|right|L|R)))\)"
    r"|, (?:left|right|center|centre),|\b(?:From [Ll]eft|L-R|Left to right|Clockwise from)\b",
)
_PARTY = re.compile(r"(?:Sen|Rep|Senator|Representative|Gov|Congressm[ae]n|Congresswom[ae]n)\.? [^()]{0,40}\(R\)")
_SPEECH = re.compile(r"\b(?:said|told|says|added|according to|announced|warned|accused|called on|condemned)\b")


def is_caption(block: str) -> bool:
    """Whether a paragraph that stands alone is a photo caption or a photo credit.

    Told by a caption's own marks: "Photo:", "(Photo by …)", "Name / AFP", a site's name at the end, and (L), (R) for
    who stands where, the last only where nobody is quoted.
    """
    if len(block) > LONGEST:
        return False
    if _PREFIX.match(block) or _BRACKETED.search(block) or _SLASH_END.search(block) or _SITE_END.search(block):
        return True
    tail = _TAIL.search(block)
    if tail and (_credits(tail.group(1)) or _only_names(block, tail.group(1))):
        return True
    return bool(_POSITION.search(_PARTY.sub("", block))) and not _SPEECH.search(block)


def is_photo_credit(line: str) -> bool:
    """Whether a line is the credit alone, so that the line above it is its caption."""
    if len(line) > 120:
        return False
    if _SLASH_END.match(line) and names_only(line):
        return True
    return bool(_SITE_END.match(line) or _BRACKETED.match(line)) or _credits(line)


def _only_names(block: str, tail: str) -> bool:
    """Names and a credit without a verb: "Pope Francis and Cardinal Jane Doe. Vatican Media"."""
    return len(block) <= 150 and len(tail.split()) <= 4 and len(tail) < len(block) - 12 and names_only(block)


def _credits(text: str) -> bool:
    """Whether a text names who took a picture and nothing else: "Jane Doe/Pool via AP", "Jane Doe / Some Outlet"."""
    if _BY_OUTLET.fullmatch(text):
        return True
    return bool(re.search(_PHOTO_CREDIT, text)) and names_only(_CREDIT_WORDS.sub("", text))
