"""guide.yaml: registration and filing, walked through step by step."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from knowledge.pack import Refs


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Data):
    """One step: what to do (Jinja template with the helpers of topics), what helps a person who is stuck."""

    id: str
    title: str
    text: str
    stuck: str
    clauses: Refs


class Track(_Data):
    """The steps for one kind of reader, in order."""

    id: str
    title: str
    steps: tuple[Step, ...]


class Guide(_Data):
    """guide.yaml."""

    tracks: tuple[Track, ...]

    def steps(self) -> Iterator[Step]:
        """Every step of every track."""
        for track in self.tracks:
            yield from track.steps

    def track(self, track_id: str) -> Track:
        """A track by id. Raises KeyError where there is none."""
        return {t.id: t for t in self.tracks}[track_id]
