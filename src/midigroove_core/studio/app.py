"""The studio as an ASGI application: the page, and what it asks for."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from midigroove_core.drum_maps import DEFAULT_MAP
from midigroove_core.drums import list_drum_maps, load_drum_map
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.kits.library import builtin_grooves, list_kits
from midigroove_core.kits.sampler import STEMS
from midigroove_core.midi_write import midi_bytes
from midigroove_core.readers import load_performance, reader_suffixes
from midigroove_core.structured import decode_json_as
from midigroove_core.studio.downloads import stems_zip, wav_file
from midigroove_core.studio.drawing import Start
from midigroove_core.studio.engines import Engines
from midigroove_core.studio.guard import Guard
from midigroove_core.studio.jobs import JobProgress, Line, Worker
from midigroove_core.studio.settings import RenderRequest
from midigroove_core.studio.songs import LONGEST_SEC, Song, Songs, hits_of, lanes, read_by
from midigroove_core.studio.takes import Growing, Take, changed_samples
from midigroove_core.studio.uploads import (
    LARGEST_JSON,
    LARGEST_RECORDING,
    LARGEST_SCORE,
    Uploads,
    plain_name,
    read_body,
)

PAGE = Path(__file__).parents[1] / "assets" / "studio"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class Studio:
    """What the routes share.

    Args:
        folder: an empty folder for uploads and downloads on their way.
        checkpoint: of the model; None takes the one that ships.
        first: a file to open the page with.

    Raises:
        InputError: `first` cannot be read.
    """

    def __init__(
        self, folder: Path, *, checkpoint: Path | None = None, first: Path | None = None
    ) -> None:
        self.uploads, self.songs, self.worker = Uploads(folder), Songs(), Worker()
        self.engines = Engines(checkpoint, self.uploads.recordings)
        self._grooves = {info.name: info for info in builtin_grooves()}
        self._first = None
        if first is not None:
            self._first = (first.name, load_performance(first))
            self.songs.open(*self._first)  # a file that cannot be opened is said at once

    async def choices(self, _: Request) -> Response:
        """What there is to choose."""
        return JSONResponse(
            {
                "kits": [{"id": kit.id, "about": kit.description} for kit in list_kits()],
                "grooves": [
                    {"id": one.name, "style": one.style, "bpm": one.bpm,
                     "meter": one.time_signature.replace("-", "/"), "sec": one.duration_sec}
                    for one in self._grooves.values()
                ],
                "lanes": lanes(load_drum_map()),
                "maps": [{"id": one.name, "title": one.title} for one in list_drum_maps()],
                "map": DEFAULT_MAP,
                "groups": list(STEMS),
                "suffixes": await run_in_threadpool(reader_suffixes),
                "limits": {"score": LARGEST_SCORE, "recording": LARGEST_RECORDING,
                           "sec": LONGEST_SEC},
                "first": self._first is not None,
            }
        )  # fmt: skip

    async def model(self, _: Request) -> Response:
        """What the model offers; loads it."""
        return await self._last_line(lambda progress: self.engines.model.describe())

    async def open(self, request: Request) -> Response:
        """Opens a groove, the file that the studio was started with, or one that is sent.

        The pitches of a file are read by the `map` that is asked for.
        """
        drum_map = request.query_params.get("map", DEFAULT_MAP)
        groove, name = request.query_params.get("groove"), request.query_params.get("name")
        if groove is not None:
            if groove not in self._grooves:
                raise InputError(f"no groove {groove!r}")
            performance = await run_in_threadpool(load_performance, self._grooves[groove].path)
            return JSONResponse(self.songs.open(groove, performance).to_json())
        if name is None:
            if self._first is None:
                raise InputError("nothing to open")
            return JSONResponse(self.songs.open(*self._first, drum_map).to_json())
        name = plain_name(name)
        body = await read_body(request, LARGEST_SCORE, name)
        read = await run_in_threadpool(self.uploads.read_performance, name, body)
        return JSONResponse(self.songs.open(name, read, drum_map).to_json())

    async def reading(self, request: Request) -> Response:
        """The hits of a song's file as a map has them; changes nothing."""
        song = self._song(request)
        played, notes = read_by(request.query_params.get("map", DEFAULT_MAP), song.source)
        return JSONResponse({"hits": hits_of(played), "notes": notes})

    async def recording(self, request: Request) -> Response:
        """Keeps a recording to sound like."""
        name = plain_name(request.query_params.get("name", ""))
        body = await read_body(request, LARGEST_RECORDING, name)
        return JSONResponse({"id": self.uploads.keep_recording(name, body), "name": name})

    async def render(self, request: Request) -> Response:
        """Renders a slot; lines of JSON, the last one with what changed.

        On the way they say how far it is, and which samples can be heard already.
        """
        song = self._song(request)
        body = await read_body(request, LARGEST_JSON, "the request")
        asked = decode_json_as(body, RenderRequest, "the request")
        if asked.drum_map is not None:
            song.read_by(asked.drum_map)
        if asked.hits is not None:
            song.edit(asked.hits)

        def work(progress: JobProgress) -> Line:
            before = song.takes.get(asked.slot)

            def hear(growing: Growing, new: tuple[int, int]) -> None:
                song.growing[asked.slot] = growing
                progress.say({"heard": list(new), **_format(growing)})

            try:
                take = self.engines.play(
                    song.performance, asked.settings,
                    Start(before, asked.redraw, song.drawn(asked.draw)),
                    progress, progress.lines, hear,
                )  # fmt: skip
                song.keep(asked.slot, take)
            finally:
                song.growing.pop(asked.slot, None)
            first, last = changed_samples(before, take)
            return {
                "take": take.number, "before": before.number if before else None,
                **_format(take), "draw": take.draw, "changed": [first, last],
                "lines": [self.uploads.with_names(line) for line in take.lines],
            }  # fmt: skip

        return StreamingResponse(self._lines(work), media_type="application/x-ndjson")

    async def samples(self, request: Request) -> Response:
        """Samples [C, n] of a take as little-endian 32-bit floats, channel after channel.

        Of one that is being drawn, where there is one in the slot.
        """
        growing = self._song(request).growing.get(request.path_params["slot"])
        take = growing or self._take(request)
        try:
            first, last = (int(request.query_params[name]) for name in ("first", "last"))
        except (KeyError, ValueError) as error:
            raise InputError("first and last are numbers of samples") from error
        if not 0 <= first <= last <= take.audio.shape[1]:
            raise InputError(f"the take has {take.audio.shape[1]} samples")
        data = take.audio[:, first:last].astype("<f4").tobytes()
        return Response(data, media_type="application/octet-stream")

    async def loudness(self, request: Request) -> Response:
        """Integrated loudness of a take; null for silence."""
        lufs = await run_in_threadpool(self._take(request).lufs)
        return JSONResponse({"lufs": lufs if lufs > -200 else None})

    async def wav(self, request: Request) -> Response:
        """A take as a file."""
        song, take = self._song(request), self._take(request)
        return await run_in_threadpool(wav_file, self.uploads, song.name, take)

    async def stems(self, request: Request) -> Response:
        """The groups of a take as files."""
        song, take = self._song(request), self._take(request)

        def made() -> Response:
            groups = self.engines.groups(take, JobProgress(lambda _: None))
            return stems_zip(self.uploads, song.name, take, groups)

        return await run_in_threadpool(made)

    async def midi(self, request: Request) -> Response:
        """What is played: edits, swing and luck, by the map of the file; without the levels."""
        song, take = self._song(request), self._take(request)
        played = song.as_in_file(take.settings.touched(song.performance))
        return Response(midi_bytes(played), media_type="audio/midi")

    async def asset(self, request: Request) -> Response:
        """The page and its parts."""
        known = {path.name: path for path in PAGE.iterdir() if path.suffix in _TYPES}
        path = known.get(request.path_params.get("file", "index.html"))
        if path is None:
            return JSONResponse({"error": "no such page"}, HTTPStatus.NOT_FOUND)
        return Response(path.read_bytes(), media_type=_TYPES[path.suffix])

    def _song(self, request: Request) -> Song:
        try:
            return self.songs[request.path_params["song"]]
        except KeyError:
            raise InputError("this song was closed; open it again") from None

    def _take(self, request: Request) -> Take:
        take = self._song(request).takes.get(request.path_params["slot"])
        if take is None:
            raise InputError("nothing is rendered yet")
        return take

    async def _lines(self, work: Callable[[JobProgress], Line]) -> AsyncIterator[bytes]:
        async with contextlib.aclosing(self.worker.follow(work)) as lines:
            async for line in lines:
                if "error" in line:
                    line["error"] = self.uploads.with_names(line["error"])
                yield json.dumps(line).encode() + b"\n"

    async def _last_line(self, work: Callable[[JobProgress], Line]) -> Response:
        line: Line = {}
        async with contextlib.aclosing(self.worker.follow(work)) as lines:
            async for found in lines:
                line = found
        return JSONResponse(line, HTTPStatus.BAD_REQUEST if "error" in line else HTTPStatus.OK)


def build(studio: Studio, port: int) -> ASGIApp:
    """The application that listens on a port of this machine."""
    song = "/api/songs/{song}"
    routes = [
        Route("/", studio.asset),
        Route("/{file}", studio.asset),
        Route("/api/choices", studio.choices),
        Route("/api/model", studio.model),
        Route("/api/songs", studio.open, methods=["POST"]),
        Route("/api/recordings", studio.recording, methods=["POST"]),
        Route(f"{song}/reading", studio.reading),
        Route(f"{song}/render", studio.render, methods=["POST"]),
        Route(f"{song}/{{slot}}/samples", studio.samples),
        Route(f"{song}/{{slot}}/loudness", studio.loudness),
        Route(f"{song}/{{slot}}/wav", studio.wav),
        Route(f"{song}/{{slot}}/stems", studio.stems),
        Route(f"{song}/{{slot}}/midi", studio.midi),
    ]
    app = Starlette(routes=routes, exception_handlers={MidigrooveError: _said})
    return Guard(app, port)


def _format(take: Take | Growing) -> Line:
    channels, samples = take.audio.shape
    return {"sample_rate": take.sample_rate, "channels": channels, "samples": samples}


async def _said(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, HTTPStatus.BAD_REQUEST)
