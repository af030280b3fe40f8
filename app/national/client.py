"""The one client of the national interface: asks over HTTP when an address is configured, in-process when none is.

The bytes are the same either way. Nothing certain came back: Outage, and the caller asks again with the same bytes.
httpx's transport is used without its client around it: no cookie is kept, no proxy or netrc of the environment is read,
no redirect followed. In-process the center's own door is called, without a web server's work around it.
"""

from __future__ import annotations

import contextvars
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from app.core import clock
from app.core.errors import Outage
from app.national import envelope
from app.national.errors import AnsweredByOurselves, CenterSlow, MalformedMessage
from app.national.signing import profile_c

if TYPE_CHECKING:
    from collections.abc import Iterator

# What answers: number of the transaction, headers, body -> HTTP status and body. Raises httpx.TransportError.
Door = Callable[[str, Mapping[str, str], bytes], tuple[int, bytes]]

_log = logging.getLogger(__name__)

SEAT_SECONDS = 0.3  # How long a question waits for a seat before it says that the center is slow.
LOOK_SECONDS = 1.0  # How long the door waits to say whether the center is there.
SECONDS = 10.0  # Connect and read, as the official sample has it.


@dataclass(frozen=True, slots=True)
class Call:
    """A question ready to be asked: the stored bytes, and who signs them."""

    infno: str
    body: bytes
    institution: str
    secret: bytes = field(repr=False)
    seconds: float | None = None  # How long somebody waits for this one; as long as the client waits when left out.


class NationalClient:
    """Asks the center. One per process; safe for threads."""

    def __init__(
        self,
        door: Door,
        *,
        threads: int = 8,
        seats: int | None = None,
        holds_transaction: Callable[[], bool] = lambda: False,
        look: Callable[[], int] | None = None,
        within: Callable[[str, Mapping[str, str], bytes, float], tuple[int, bytes]] | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._door = door
        self._look = look or (lambda: door("9001", {}, b"")[0])  # Asks nothing; the status of the answer.
        self._within = within  # The door with a time limit of its own, where it has one.
        self.close = close  # Lets go of open connections.
        self._holds_transaction = holds_transaction
        self._seats = threading.BoundedSemaphore(seats or max(1, threads // 2))

    def ask(self, call: Call) -> envelope.Answer:
        """Ask once and return the center's answer, accepted or refused.

        Raises Outage when nothing certain came back, CenterSlow (nothing was sent) when half of this worker's threads
        are waiting already.
        """
        assert not self._holds_transaction(), "nobody waits for the center with a transaction open"
        with self._seat():
            status, body = self._send(call)
        if status != 200:
            raise Outage(f"center answered {status}")
        try:
            return envelope.parse_answer(body)
        except MalformedMessage as failure:
            raise Outage("center's answer cannot be read") from failure

    def answers(self) -> bool:
        """Say whether the center is there: any answer of its own to a request that carries nothing and names nobody."""
        assert not self._holds_transaction(), "nobody waits for the center with a transaction open"
        try:
            with self._seat():
                return self._look() < 500
        except (httpx.TransportError, CenterSlow):
            return False

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if not self._seats.acquire(timeout=SEAT_SECONDS):
            raise CenterSlow
        try:
            yield
        finally:
            self._seats.release()

    def _send(self, call: Call) -> tuple[int, bytes]:
        headers = profile_c.sign(call.institution, call.secret, call.body, clock.now())
        headers["content-type"] = "application/json"
        try:
            if call.seconds is not None and self._within is not None:
                return self._within(call.infno, headers, call.body, call.seconds)
            return self._door(call.infno, headers, call.body)
        except httpx.TransportError as failure:
            raise Outage(type(failure).__name__) from failure


def in_process(door: Door, *, threads: int = 8, **options: Any) -> NationalClient:
    """A client that asks the center in this process, without a network.

    The center works in the asking thread itself, so all but one of them may ask; its database's limits bound the wait.
    """
    options["seats"] = max(1, threads - 1)
    return NationalClient(_walled(door), **options)


def _walled(door: Door) -> Door:
    """What a network would do: a bug there is an outage here, and the center ends its request in a context of its own.

    Without the second, the center's end of request would clear whose tenant the waiting facility acts for.
    """

    def ask(infno: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            return contextvars.copy_context().run(door, infno, headers, body)
        except Exception:  # noqa: BLE001 - the wall between the wings, like a network
            _log.exception("the center broke while it was asked")
            return 500, b""

    return ask


def over_http(
    address: str, *, own_port: int | None = None, threads: int = 8, seconds: float = SECONDS, **options: Any
) -> NationalClient:
    """A client of a center at an address, such as https://center.example/center.

    Raises AnsweredByOurselves when the address is this server: with every thread waiting for another, it stands still.
    """
    if own_port is not None and points_here(address, own_port):
        raise AnsweredByOurselves(address)
    limits = httpx.Limits(
        max_connections=max(2, threads), max_keepalive_connections=max(2, threads), keepalive_expiry=30
    )
    transport = httpx.HTTPTransport(limits=limits, trust_env=False)

    def ask(infno: str, headers: Mapping[str, str], body: bytes, seconds: float = seconds) -> tuple[int, bytes]:
        url = f"{address.rstrip('/')}/national/{infno}"
        waits = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        request = httpx.Request("POST", url, content=body, headers=dict(headers), extensions={"timeout": waits})
        response = transport.handle_request(request)
        try:
            return response.status_code, response.read()
        finally:
            response.close()

    def look() -> int:
        return ask("9001", {}, b"", LOOK_SECONDS)[0]

    return NationalClient(ask, threads=threads, look=look, within=ask, close=transport.close, **options)


def points_here(address: str, own_port: int) -> bool:
    """Say whether an address leads back to a port of this machine."""
    parts = urlsplit(address)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    if port != own_port or not parts.hostname:
        return False
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)}
    except OSError:
        return False
    return any(_is_ours(host) for host in found)


def _is_ours(host: str) -> bool:
    """Only an address of this machine can be bound to."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True
