"""The buckets of a window as they are stored, and merges of them that are kept from one window to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import overload

from checks.profile import Layout, Profile


class Buckets(Sequence[Profile]):
    """Stored profiles, each decoded when it is asked for: most checks look at whole days only."""

    def __init__(self, layout: Layout, data: Sequence[bytes]) -> None:
        self._layout, self._data = layout, tuple(data)

    @overload
    def __getitem__(self, place: int) -> Profile: ...
    @overload
    def __getitem__(self, place: slice) -> Buckets: ...
    def __getitem__(self, place: int | slice) -> Profile | Buckets:
        if isinstance(place, slice):
            return Buckets(self._layout, self._data[place])
        return Profile.from_bytes(self._data[place], self._layout)

    def __len__(self) -> int:
        return len(self._data)


@dataclass(frozen=True, slots=True)
class Merges:
    """The merged parts of the newest window of each plan, as bytes, by a digest of what they are merged from."""

    kept: dict[str, dict[bytes, bytes]] = field(default_factory=dict)

    def parts(self, plan: str, layout: Layout, groups: Iterable[Sequence[bytes]]) -> tuple[Profile, ...]:
        """Each group of stored profiles as one; merged only where no window had the same group."""
        known = {key: data for held in self.kept.values() for key, data in held.items()}
        taken_on, used, found = layout.to_bytes(), dict[bytes, bytes](), list[Profile]()
        for group in groups:
            key = _digest([taken_on, *group])
            merged = Profile.merge(Buckets(layout, [known[key]] if key in known else group))
            used[key] = known.get(key) or merged.to_bytes()
            found.append(merged)
        self.kept[plan] = used
        return tuple(found)


def _digest(parts: Sequence[bytes]) -> bytes:
    each = b"".join(blake2b(part, digest_size=16).digest() for part in parts)
    return blake2b(each, digest_size=16).digest()
