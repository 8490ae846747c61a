"""Outside text made harmless for Slack: only our own code writes ``<...>``."""

from __future__ import annotations

import re
import unicodedata

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_WEB_ADDRESS = re.compile(r"https?://[^\s<>|\"'`\\^{}]+")
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
# With these a client may turn plain words into a mention of everybody; a word joiner keeps them apart.
_CROWD = re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def clean(text: str) -> str:
    """*text* on one line, without control, bidirectional, invisible and half characters."""
    if text.isprintable():
        return " ".join(text.split())
    visible = "".join(" " if unicodedata.category(letter) in _INVISIBLE else letter for letter in text)
    return " ".join(visible.split())


def units(text: str) -> int:
    """The length of *text* as Slack and its clients count it: in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """*text*, or its beginning and how many characters are missing; never longer than *most* units."""
    if units(text) <= most:
        return text
    room = max(most - len(_missing(len(text))), 0)
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * room].decode("utf-16-le", "ignore")
    space = kept.rfind(" ", len(kept) // 2)
    kept = kept[:space] if space > 0 else kept
    return f"{kept}{_missing(len(text) - len(kept))}"


def _missing(count: int) -> str:
    return f"… ({count:,} more characters)"


def plain(text: str, most: int) -> str:
    """Outside text for a plain_text object."""
    return cut(clean(text), most)


def mrkdwn(text: str, most: int) -> str:
    """Outside text for mrkdwn: cut first, then escaped, so that no entity is cut in half; at most *most* units long."""
    cleaned = clean(text)
    allowed = most
    escaped = _escaped(cut(cleaned, allowed))
    while units(escaped) > most:
        allowed -= max((units(escaped) - most) // 5, 1)
        escaped = _escaped(cut(cleaned, allowed))
    return escaped


def _escaped(text: str) -> str:
    return _CROWD.sub(f"@{_WORD_JOINER}", text).translate(_ENTITIES)


def link(address: str, label: str) -> str:
    """A link to *address*, or its text where it is no plain web address."""
    written = address.replace("&", "&amp;")
    if _WEB_ADDRESS.fullmatch(address) and units(written) <= 400 and clean(address) == address:
        return f"<{written}|{mrkdwn(label, 75)}>"
    return mrkdwn(address, 300)
