"""Facts over HTTP: one signed POST a batch, answered by the center's head after it has committed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from central_sync import signing, wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from central_sync.wire import Answer, Batch

TIMEOUT_SECONDS = 35.0  # Longer than the center's own statement limit, so that it answers first.
CONNECT_SECONDS = 3.0


class NoAnswer(Exception):
    """Nothing certain came back. The batch is sent again; the center takes each fact once."""


class NotAdmitted(Exception):
    """The center does not know this institution, or its secret is wrong. Trying again at once helps nobody."""


class HttpTransport:
    """Sends batches to a center at an address such as https://center.example/center."""

    def __init__(
        self, base_url: str, secret_of: Callable[[str], bytes | None], *, client: httpx.Client | None = None
    ) -> None:
        self._base = base_url.rstrip("/")
        self._secret_of = secret_of
        # No proxy or netrc from the environment; no cookie is kept between tenants.
        self._client = client or httpx.Client(
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=16),
        )

    def send(self, stream: str, batch: Batch) -> Answer:
        """Send facts; return where the center stands. Raises NoAnswer, NotAdmitted."""
        return self._ask("POST", stream, "facts", wire.encode(batch))

    def head(self, stream: str, at: int | None = None) -> Answer:
        """Ask where the center stands with a stream, or which fact it has at a number. Raises NoAnswer, NotAdmitted."""
        return self._ask("GET", stream, "head" if at is None else f"head?at={at}", b"")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, method: str, stream: str, what: str, body: bytes) -> Answer:
        secret = self._secret_of(stream)
        if secret is None:
            raise NotAdmitted("no secret is known for this institution")
        headers = {**signing.sign(stream, secret, body), "content-type": wire.MEDIA_TYPE}
        try:
            response = self._client.request(
                method, f"{self._base}/bridge/{quote(stream, safe='')}/{what}", content=body, headers=headers
            )
        except httpx.HTTPError as failure:
            raise NoAnswer(f"{type(failure).__name__}: {failure}") from failure
        finally:
            self._client.cookies.clear()
        if response.status_code in (401, 403, 404):
            raise NotAdmitted(f"HTTP {response.status_code}")
        if response.status_code not in (200, 409):
            raise NoAnswer(f"HTTP {response.status_code}")
        try:
            return wire.read_answer(response.content)
        except ValueError as failure:
            raise NoAnswer("the answer cannot be read") from failure
