"""Lines and sentences of a news page that belong to the page, not to the story. What is doubtful stays in."""

from __future__ import annotations

import re
from typing import Final

AGENCY: Final = (
    r"(?:AFP|Agence France[- ]Presse|AP|(?:The )?Associated Press|(?:Thomson )?Reuters|REUTERS|Xinhua|XINHUA|TASS|"
    r"Interfax(?:-Ukraine)?|RIA(?: Novosti)?|Sputnik|Yonhap|YONHAP|Kyodo(?: News)?|Jiji(?: Press)?|dpa|DPA|EFE|ANSA|"
    r"Anadolu(?: Agency)?|AA|IRNA|ISNA|Tasnim|Fars|Mehr|SANA|KCNA|PTI|ANI|IANS|UNI|Bloomberg(?: News)?|UPI|PA|"
    r"Press Association|CNN|BBC(?: News)?|VOA|RFE/RL|Ukrinform|UNIAN|WAM|SPA|QNA|KUNA|MENA|Petra|Belga|TT|NTB|Ritzau|"
    r"Lusa|LUSA|MTI|PAP|CTK|BTA|Tanjug|Hina|FENA|Agerpres|Antara|Bernama|VNA|GNA|NAN|ENA|APS|Télam|Andina|"
    r"Prensa Latina|Getty(?: Images)?|EPA(?:-EFE)?|Zuma(?: Press)?|Shutterstock|Alamy|Agencies|Staff)"
)
MONTH: Final = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
WEEKDAY: Final = r"(?:Mon|Tue(?:s)?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\.?"
DAY: Final = (
    rf"(?:{MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? (?:19|20)\d\d)?|\d{{1,2}}(?:st|nd|rd|th)? {MONTH}(?:,? (?:19|20)\d\d)?"
    r"|(?:19|20)\d\d-\d\d-\d\d|\d{1,2}[/.]\d{1,2}[/.](?:19|20)?\d\d)"
)
_CLOCK = (
    r"(?:\d{1,2}[:.]\d\d(?::\d\d)?(?: ?[AaPp]\.?[Mm]\.?)?|\d{1,2} ?[AaPp]\.?[Mm]\.?)"
    r"(?: ?\(?(?:[A-Z]{2,5}|local time)\)?(?:[+-]\d+)?)?"
)
_STAMP = r"(?:First |Last )?(?:Published|Updated|Posted|Modified|Issued|Created|Publication date|Date)(?: on| at)?:? ?"
DATE_LINE: Final = re.compile(
    rf"(?:{_STAMP})?(?:{WEEKDAY},? )?{DAY}(?:[,T ]*(?:at |[-–—|•/] ?)?{_CLOCK})?"
    rf"(?: ?[|•/–—-] ?(?:{_STAMP})(?:{WEEKDAY},? )?(?:{DAY})?(?:[, ]*(?:at |[-–—|•/] ?)?{_CLOCK})?)?"
    rf"|{_STAMP}(?:\d+ (?:minutes?|hours?|days?) ago|{_CLOCK})|\d+ (?:minutes?|hours?|days?) ago",
    re.IGNORECASE,
)

_DAY = re.compile(DAY, re.IGNORECASE)
_NAME_GLUE = frozenset(
    {
        "and", "in", "by", "the", "of", "from", "for", "at", "with", "de", "da", "del", "la", "le", "al", "el",
        "van", "von", "bin", "ibn", "bint", "additional", "reporting", "writing", "editing", "newsroom", "bureau",
        "bureaus", "staff", "our", "special", "correspondent", "correspondents", "writer", "writers", "reporter",
        "diplomatic", "political", "editor", "editors", "foreign", "senior", "chief", "affairs", "agencies",
        "agency", "&", "|", "·", "•",
    }
)  # fmt: skip
_WORD = re.compile(r"[^\s,;:()/]+")
_BYLINE = re.compile(
    r"(?:By|BY|Story by|Written by|Text by|Words by|Author:|Reported by|Compiled by|Posted by)[: ] ?(.+)"
)
_CREDIT = re.compile(
    r"[(\[—–-]* ?(?:(?:Additional |Further )?(?:[Rr]eporting|[Ww]riting|[Ee]diting|[Tt]ranslation|[Cc]ompilation"
    r"|[Pp]roduction) by"
    r"|(?:Reported|Edited|Compiled|Translated|Produced|Written) by|With (?:additional )?reporting (?:by|from)"
    r"|[Ww]ith (?:agency |news agency )?inputs? (?:from|by)|With (?:files|material|information) from)\b[: ]?(.+)",
    re.DOTALL,
)
_CONTRIBUTED = re.compile(
    r"[(\[*—– ]*[A-Z][^.!?]{0,250}? contributed (?:(?:additional |further )?reporting\b|to (?:this|the) (?:report"
    r"|story|article))[^.!?]{0,100}[.)\]]*"
)
_PLATFORM = (
    r"(?:Twitter|X|Facebook|Instagram|Telegram|YouTube|WhatsApp|LinkedIn|Flickr|Threads|TikTok|Bluesky|Google News|"
    r"social media)\b"
)
_NOTICE_KINDS = (
    # notes of the desk
    r"(?:Except for the headline, )?[Tt]his (?:story|article|report|copy|content|piece) "
    r"(?:has|have|was|is|may|appeared|originally|first|corrects|contains|updates)\b.{0,200}\b(?:edited|published"
    r"|syndicated|feed|"
    r"appeared|updated|amended|corrected|headline|translated|auto-generated|produced|copyright|affiliate"
    r"|refreshed)\b.{0,300}",
    r"This (?:story|article|report) (?:corrects|updates)\b.{0,300}",
    r"This is a (?:breaking|developing) (?:news )?story\b.{0,120}",
    r"More (?:details? )?to follow\b.{0,40}",
    r"(?:Check back|Refresh) (?:for|this)\b.{0,80}",
    r"(?:Adds?|Updates?|Recasts?|Corrects?|Refiles?|Repeats?|Releads?|Writes through)\b[^.]{0,200}\)",
    # rights
    r"(?:©|\(c\) ?(?:19|20)\d\d|Copyright (?:©|\(c\)|(?:19|20)\d\d|by )).{0,300}",
    r".{0,160}\b[Aa]ll rights reserved\b.{0,200}",
    r"This material may not be (?:published|reproduced)\b.{0,200}",
    r"(?:Unauthori[sz]ed|Any) (?:reproduction|use)\b.{0,200}\b(?:prohibited|permission)\b.{0,80}",
    r"Our Standards:.{0,100}",
    r"(?:The )?(?:views|opinions)(?: and opinions)? expressed (?:in|here|by|are)\b.{0,250}",
    # whom to ask
    r"For (?:more|further|additional) (?:information|details|news|coverage)\b.{0,250}",
    r"(?:For (?:media|press) (?:inquiries|enquiries|queries)|Media (?:contacts?|inquiries|enquiries)"
    r"|Press contacts?)\b.{0,250}",
    r"(?:Contacts?|E-?mail|Tel(?:ephone|\.)?|Phone|Fax):.{0,250}",
    # social media
    r"(?:Follow|Like|Find|Join|Contact|Reach|Connect with|Chat with) "
    r"(?:us|the (?:author|reporter|writer|conversation|discussion)|@\w+)\b.{0,250}",
    r"(?:(?:Please )?[Bb]e sure to |Don't forget to |You can (?:also )?|Please )?[Ff]ollow .{1,150}\bon (?:the )?"
    + _PLATFORM
    + r".{0,250}",
    r"Join (?:our|the) .{0,60}\b(?:channel|group|newsletter|community|conversation|Telegram|WhatsApp)\b.{0,200}",
    r"(?:Share|Tweet) this\b.{0,80}",
    r"(?:Tags?|Keywords?|Topics?|Filed [Uu]nder|Categor(?:y|ies)|Posted in): .{0,250}",
    # subscriptions
    r"(?:Subscribe|Sign up|Register)(?:\b.{0,150}\b(?:newsletters?|alerts|inbox|updates|free|briefings?|e-?mails?"
    r"|accounts?|our|"
    r"here|now|today|channel|feed)\b.{0,150}|[.!]?)",
    r"(?:To (?:read|get|receive|support|subscribe)\b|Want (?:to|more)\b|Get (?:the latest|our|all the|breaking"
    r"|daily|news)\b)"
    r".{0,150}\b(?:subscri\w+|newsletters?|inbox|sign up|register|download|app|click|donat\w+|alerts)\b.{0,150}",
    r"(?:Download|Get|Install|Open in) (?:our|the) .{0,40}\bapps?\b.{0,100}",
    r"(?:Click|Tap) (?:here|to|on)\b.{0,150}",
    r"(?:Support|Donate to) (?:us|our|independent)\b.{0,200}(?:journalism|newsroom|today|work|donat\w+).{0,80}",
    r"(?:Become|Be) a (?:member|subscriber|patron|supporter)\b.{0,150}",
    r"(?:Read|See|Watch|View|Find) (?:the )?(?:rest|full|complete|original|entire)(?: (?:story|article|report|text"
    r"|statement|"
    r"version|interview|coverage|video|post|release))?(?: (?:here|online|below|at|on|in)\b.{0,100})?[.:!]?",
    r"Read (?:more|it) (?:here|at|on|in|from)\b.{0,150}",
    r"Read more about:? .{0,150}",
    r"(?:…|\.{3})?\s?[Ww]e have a (?:small )?favou?r to ask\b.{0,500}",
    r"(?:Subscribers|Users|By (?:signing|subscribing|clicking|continuing))\b.{0,80}\bagree\b.{0,80}"
    r"\b(?:[Pp]rivacy|[Tt]erms)\b.{0,80}",
    r"We(?: have|'ve)? sent (?:you )?a confirmation\b.{0,80}",
    r"Thank you for (?:reading|subscribing|signing up)\b.{0,80}",
)
_NOTICES = re.compile(r"[(\[*_•~—–\s]*(?:" + "|".join(_NOTICE_KINDS) + r")[)\]*_•~\s]*")
_RELATED = re.compile(
    r"[\[(>»•*▶►→-]*\s*(?:(?:Related|RELATED)(?: (?:articles?|stor(?:y|ies)|news|coverage|content|links?|topics?"
    r"|posts?|reading|videos?))?"
    r"|(?:Also |ALSO )?(?:Read|READ|See|SEE|Watch|WATCH|Listen|LISTEN)(?: (?:more|also|next|now|MORE|ALSO|too))"
    r"|(?:Also|ALSO) (?:read|see|watch|READ|SEE|WATCH)|(?:You (?:may|might) (?:also )?(?:like|be interested in)"
    r"|Recommended(?: for you| reading)?"
    r"|Don.t [Mm]iss|In [Cc]ase [Yy]ou [Mm]issed [Ii]t|Further reading|Editor.s [Pp]icks?|Most [Rr]ead"
    r"|Most [Pp]opular|Trending(?: now)?|Must[- ][Rr]ead|Top [Ss]tories|Latest [Nn]ews"
    r"|More (?:on this story|from|stories|news|coverage|on)|MORE (?:ON THIS STORY|FROM|STORIES|NEWS)|Up [Nn]ext"
    r"|Next [Aa]rticle|Previous [Aa]rticle|Live [Uu]pdates))"
    r"(?P<sep>\s*[:|»>]\s*|\s+[–—-]+\s+|\s*$)(?P<rest>.*)"
    r"|(?:Read|READ|Watch|WATCH|Listen|LISTEN|Video|VIDEO|Podcast|PODCAST|More|MORE|Gallery|GALLERY|In pictures"
    r"|IN PICTURES)(?P<sep2>\s*[:|»]\s*)(?P<rest2>.*)",
    re.DOTALL,
)
_PAGE_KINDS = (
    r"advertisements?|sponsored(?: content)?|(?:story|article|report) continues.{0,40}|continue reading.{0,40}",
    r"skip (?:to (?:main )?content|past.{0,40}|advert.{0,20})|scroll (?:down|to).{0,40}",
    r"(?:share|print|e-?mail|tweet|whatsapp|facebook|twitter|telegram|linkedin|copy link|save|bookmark|menu|home|"
    r"search|log in|sign in|loading)(?: (?:this|article|on \w+|page|via \w+))?[.…]*",
    r"(?:\d+ )?comments?(?: \(\d+\))?|leave a (?:comment|reply)|view comments?|no comments?",
    r"\d+[\s-]min(?:ute)?s? read|(?:reading time:? )\d+.{0,15}|listen to (?:this )?(?:article|story).{0,30}",
    r"back to top|play video|photos?|videos?|gallery|audio|getting your .{0,60}player ready.{0,10}",
    r"page \d+(?: of \d+)?|\d{1,3}\s?/\s?\d{1,3}|[-–—]\s?\d{1,3}\s?[-–—]",
    r"(?:https?://|www\.)\S+(?:\s+\d{1,3}/\d{1,3})?|\(*\S+@\S+\.\w+\)*|\[?email protected\]?",
    r"\d{1,2}/\d{1,2}/\d{2,4}, \d{1,2}:\d\d.{0,120}",
    r"(?:# ?){2,}|[\s_*=•·~.…—–-]{2,}|\(?ends?\)?|-30-|xxx",
    r"news|world news|politics|international|breaking(?: news)?|top news|opinion|latest",
)
_PAGE = re.compile("|".join(_PAGE_KINDS), re.IGNORECASE)
_CRUMBS = re.compile(r"[\w&' ]{2,30}(?:\s[>›»]\s[\w&' ]{2,60}){1,5}")
_AGENCY_LINE = re.compile(rf"(?:Source:? |Via |[—–-] ?|With )?\(?{AGENCY}(?:(?:,| and| &|/| \+) ?{AGENCY})*\)?\.?")

LONGEST = 600
"""No line of furniture is longer; longer ones are not looked at."""


def names_only(text: str) -> bool:
    """Whether a text holds names and what stands between names in a byline, and nothing else."""
    words = _WORD.findall(text.strip(" .)]"))
    return 1 <= len(words) <= 60 and all(w[0].isupper() or w.lower() in _NAME_GLUE or "@" in w for w in words)


def day_of(date_line: str) -> str:
    """The day that a date line names, else the line."""
    found = _DAY.search(date_line)
    return found.group() if found else date_line


def is_credit(text: str) -> bool:
    """Who wrote, edited, translated or helped: "Reporting by …; editing by …", "AFP contributed reporting."."""
    if len(text) > LONGEST:
        return False
    credit = _CREDIT.fullmatch(text)
    return bool(credit and names_only(credit.group(1))) or bool(_CONTRIBUTED.fullmatch(text))


def is_notice(text: str) -> bool:
    """Copyright, editing notes, subscription, contact and social media lines."""
    return len(text) <= LONGEST and bool(_NOTICES.fullmatch(text))


def is_byline(line: str) -> bool:
    """Who wrote it: "By Jane Doe and John Roe"."""
    if len(line) > 150 or line.endswith("."):
        return False
    match = _BYLINE.fullmatch(line)
    if match is None or not names_only(match.group(1)):
        return False
    rest = match.group(1).split()
    return len(rest) >= 2 or bool(re.fullmatch(AGENCY, rest[0]))


def is_agency(line: str) -> bool:
    """The agency alone: "AFP", "(Reuters/AP)", "Source: TASS"."""
    return len(line) <= 80 and bool(_AGENCY_LINE.fullmatch(line))


def is_page(line: str) -> bool:
    """Buttons, page numbers, addresses, separators, breadcrumbs."""
    return len(line) <= 160 and bool(_PAGE.fullmatch(line) or _CRUMBS.fullmatch(line))


def related(line: str) -> str | None:
    """What follows "Related article:", "Read more:" and their kind ("" when the links stand below); else None."""
    match = _RELATED.fullmatch(line) if len(line) <= LONGEST else None
    return None if match is None else (match.group("rest") or match.group("rest2") or "")
