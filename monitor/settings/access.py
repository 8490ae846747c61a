"""Whether those who may use the port from elsewhere are told apart: tokens, and proxies that sign people in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.settings import Settings
from monitor.settings.problems import File
from monitor.settings.remarks import Remark
from monitor.settings.schema import Place

SHORTEST = 20
"""Characters of a secret: 20 random ones of base64 are 120 bits, which nobody guesses."""


def review_access(settings: Settings, file: File) -> Iterator[Remark]:
    """Everything that would let in nobody, or anybody."""
    web = settings.web
    header: Place = ("web", "proxy_header")
    proxies: Place = ("web", "trusted_proxies")
    if web.proxy_header is not None and not web.trusted_proxies:
        what = "is missing, and web.proxy_header counts from trusted proxies only"
        yield Remark.of(file, proxies, what, 'add trusted_proxies = ["10.0.0.7"]', also=(header,))
    if web.trusted_proxies and web.proxy_header is None:
        what = "is missing, and web.trusted_proxies say in it who asks"
        yield Remark.of(file, header, what, 'add proxy_header = "X-Forwarded-User"', also=(proxies,))
    for index, token in enumerate(web.tokens):
        place: Place = ("web", "tokens", index)
        if len(token.secret.get_secret_value()) < SHORTEST:
            what = f"can be guessed: it has fewer than {SHORTEST} characters"
            yield Remark.of(file, (*place, "secret"), what, "take the output of: openssl rand -base64 32")
    for key in ("name", "secret"):
        yield from _twice(key, [getattr(token, key) for token in web.tokens], file)


def _twice(key: str, values: Sequence[object], file: File) -> Iterator[Remark]:
    for index, value in enumerate(values):
        first = values.index(value)
        if first != index:
            place, other = (("web", "tokens", at, key) for at in (index, first))
            what = f"is the {key} of web.tokens[{first}] already"
            yield Remark.of(file, place, what, f"give each token a {key} of its own", also=(other,))
