# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network between the controller and a host's SSH port that can be slow, stall, and be cut."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Network:
    """A TCP proxy on 127.0.0.1. ``sent`` is how many bytes went to the host; the rest are what is to happen.

    ``delay``: seconds that everything takes, each way. ``cut_at``: with that many bytes sent, every connection ends
    at once, and none is taken any more until ``mend``. ``stall_at``, ``stall``: from that many bytes on, nothing
    passes for so many seconds, once.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self.sent = 0
        self.delay = 0.0
        self.cut_at = self.stall_at = float("inf")
        self.stall = 0.0
        self.is_cut = False
        self._until = 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Network:
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_error: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Ends every connection now."""
        self.is_cut = True
        self._call(self._end())

    def mend(self) -> None:
        """It is as a network should be again."""
        self.cut_at = self.stall_at = float("inf")
        self.delay = 0.0
        if self.is_cut:
            self.is_cut = False
            self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", self.port))

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _end(self) -> None:
        self._server.close()
        for writer in list(self._open):
            # Not closed in good order: whoever waits for an answer learns of it by a reset.
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._open |= {writer, back}
        try:
            await asyncio.gather(self._pass(reader, back, True), self._pass(there, writer, False))
        finally:
            self._open -= {writer, back}
            for side in (writer, back):
                side.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_host: bool) -> None:
        """Everything of one direction, each piece as long after it came as ``delay`` says."""
        pieces: asyncio.Queue = asyncio.Queue(1000)
        sending = asyncio.create_task(self._send(pieces, writer, to_host))
        with contextlib.suppress(OSError):
            while data := await reader.read(16384):
                await pieces.put((self._loop.time() + self.delay, data))
        await pieces.put((self._loop.time() + self.delay, b""))
        await sending

    async def _send(self, pieces: asyncio.Queue, writer: asyncio.StreamWriter, to_host: bool) -> None:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(max(0.0, max(due, self._until) - self._loop.time()))
            if not data or self.is_cut:
                break
            if to_host:
                self.sent += len(data)
                if self.sent >= self.cut_at:
                    self.is_cut = True
                    await self._end()
                    break
                if self.sent >= self.stall_at:
                    self.stall_at = float("inf")
                    self._until = self._loop.time() + self.stall
            with contextlib.suppress(OSError):
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            if writer.can_write_eof():
                writer.write_eof()
