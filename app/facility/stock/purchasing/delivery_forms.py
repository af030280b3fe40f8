"""What the pages of deliveries send, read into plain values. Texts stay as typed; they are read when the delivery is accepted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from app.facility.stock.purchasing import rules
from app.facility.stock.rules import MOST_CODES_PER_LINE, MOST_LINES

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

HEAD = (
    "note_number",
    "invoice",
    "note",
    "arrived_at",
    "transport",
    "temperature_out",
    "temperature_in",
    "minutes",
)
TEXTS = (
    "lot", "produced_on", "expires_on", "arrived", "rejected", "reason", "cost", "zone", "approval", "maker", "origin", "noted",
)  # fmt: skip
MOST_TEXT = 300
MOST_CODE = 100


def typed_draft(form: MultiDict[str, str]) -> rules.Draft:
    """A delivery as it stands on the screen, one row a lot."""
    columns = [form.getlist(name) for name in ("product", "product_name", "kept", "codes", *TEXTS)]
    rows = [_row(*cells) for cells in zip(*columns, strict=False)]
    return rules.Draft(rows=rows[: MOST_LINES + 1], **{name: form.get(name, "").strip()[:MOST_TEXT] for name in HEAD})


def _row(product: str, name: str, kept: str, codes: str, *texts: str) -> rules.Row:
    told = {key: text.strip()[:MOST_TEXT] for key, text in zip(TEXTS, texts, strict=True)}
    return rules.Row(whole(product), name[:MOST_TEXT], kept=kept == "1", codes=codes_in(codes), **told)


def codes_in(text: str) -> list[str]:
    """Codes as a scanner or a person left them, each once; one more than a line may have is kept, so that it is said."""
    found = dict.fromkeys(code[:MOST_CODE] for code in re.split(r"[\s,，;；]+", text.replace("\x00", "")) if code)
    return list(found)[: MOST_CODES_PER_LINE + 1]


def whole(text: str) -> int:
    """A key or a version as a form carries it; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def document_of(text: str) -> UUID | None:
    """A document's id; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
