"""Facts and news over HTTP: one signed POST a batch, answered by the center's head after it has committed; news is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from central_sync import signing, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from central_sync.wire import Answer, Batch, Question, Told

TIMEOUT_SECONDS = 35.0  # Longer than the center's own statement limit, so that it answers first.
CONNECT_SECONDS = 3.0


class NoAnswer(Exception):
    """Nothing certain came back. The batch is sent again; the center takes each fact once."""


class RoundRefused(NoAnswer):
    """The center answered, but took no round: it knows none, or one of its streams keeps the others from theirs."""


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

    def send_round(self, batches: Sequence[Batch]) -> list[Answer]:
        """Send the newest facts of many streams at once; return where the center stands with each.

        Raises NoAnswer, RoundRefused.
        """
        seats = [seat for batch in batches if (seat := self._seat(batch))]
        headers = {"content-type": wire.MEDIA_TYPE}
        response = self._request("POST", f"{self._base}/bridge/round", wire.encode(seats), headers)
        if response.status_code != 200:
            raise RoundRefused(f"HTTP {response.status_code}")
        try:
            answers = wire.read_answers(response.content)
            by_stream = dict(zip((seat.stream for seat in seats), answers, strict=True))
        except ValueError as failure:
            raise RoundRefused("the answers cannot be read") from failure
        alone = wire.Answer("alone", 0, 0, b"")
        return [by_stream.get(batch.stream, alone) for batch in batches]

    def ask_news(self, question: Question) -> Told:
        """Ask for one stream's news. Raises NoAnswer, NotAdmitted."""
        response = self._ask_signed("POST", question.stream, "news", wire.encode(question))
        try:
            return wire.read_told(response.content)
        except ValueError as failure:
            raise NoAnswer("the answer cannot be read") from failure

    def ask_round(self, questions: Sequence[Question]) -> list[Told]:
        """Ask for the news of many streams at once; each question is signed by its own institution. Raises NoAnswer."""
        seats = [seat for question in questions if (seat := self._seat(question))]
        headers = {"content-type": wire.MEDIA_TYPE}
        response = self._request("POST", f"{self._base}/bridge/news/round", wire.encode(seats), headers)
        if response.status_code != 200:
            raise NoAnswer(f"HTTP {response.status_code}")
        try:
            told = dict(zip((seat.stream for seat in seats), wire.read_all_told(response.content), strict=True))
        except ValueError as failure:
            raise NoAnswer("the answers cannot be read") from failure
        unknown = wire.Told("refused", 0, [], "no secret is known for this institution")
        return [told.get(question.stream, unknown) for question in questions]

    def _seat(self, message: Batch | Question) -> wire.Seat | None:
        secret = self._secret_of(message.stream)
        if secret is None:
            return None
        body = wire.encode(message)
        return wire.Seat(message.stream, signing.sign(message.stream, secret, body)[signing.SIGNATURE_HEADER], body)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, method: str, stream: str, what: str, body: bytes) -> Answer:
        response = self._ask_signed(method, stream, what, body)
        try:
            return wire.read_answer(response.content)
        except ValueError as failure:
            raise NoAnswer("the answer cannot be read") from failure

    def _ask_signed(self, method: str, stream: str, what: str, body: bytes) -> httpx.Response:
        secret = self._secret_of(stream)
        if secret is None:
            raise NotAdmitted("no secret is known for this institution")
        headers = {**signing.sign(stream, secret, body), "content-type": wire.MEDIA_TYPE}
        response = self._request(method, f"{self._base}/bridge/{quote(stream, safe='')}/{what}", body, headers)
        if response.status_code in (401, 403, 404):
            raise NotAdmitted(f"HTTP {response.status_code}")
        if response.status_code not in (200, 409):
            raise NoAnswer(f"HTTP {response.status_code}")
        return response

    def _request(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        try:
            return self._client.request(method, url, content=body, headers=headers)
        except httpx.HTTPError as failure:
            raise NoAnswer(f"{type(failure).__name__}: {failure}") from failure
        finally:
            self._client.cookies.clear()
