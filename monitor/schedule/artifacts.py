"""The documents that checks leave beside their numbers, made ready for the history: bounded and compressed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.contract import Artifact
from monitor.history.records import ArtifactRecord
from monitor.history.values import packed
from monitor.schedule.pool import Result


@dataclass(frozen=True, slots=True)
class Sorted:
    """What is kept, and a sentence for each document that is not."""

    kept: Sequence[ArtifactRecord] = ()
    dropped: Sequence[str] = ()


def artifacts_of(result: Result, most: int) -> Sorted:
    """The artifacts of a result; those larger than *most* bytes are not kept. It takes a while: do it outside of a
    transaction.
    """
    found = [(event.kind, artifact) for event in result.measured.values() for artifact in event.artifacts]
    return Sorted(
        [_record(kind, artifact) for kind, artifact in found if len(artifact.content) <= most],
        [_sentence(kind, artifact, most) for kind, artifact in found if len(artifact.content) > most],
    )


def _record(kind: str, artifact: Artifact) -> ArtifactRecord:
    content = packed(artifact.content)
    return ArtifactRecord(kind, artifact.name, artifact.media_type, len(artifact.content), content)


def _sentence(kind: str, artifact: Artifact, most: int) -> str:
    size = len(artifact.content)
    return (
        f"{artifact.name} of the check {kind} has {size / 1e6:,.1f} MB and was not kept: history.artifact_size allows "
        f"{most / 1e6:,.1f} MB."
    )
