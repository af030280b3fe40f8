"""Every page of the stock room by its address, in a pharmacy where everything has happened once; and what is not a word of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.facility.counter.registers.books import BOOKS
from launcher.databases import connect
from tests.browser.product import ROOT
from tests.guards import fences, known, routes
from tests.guards.filled import address

ROOMS = ("/stock", "/overview", "/registers", "/notices")
SIZES = ((1280, 800), (390, 844))

# Addresses that show no page of their own, and why. A new one is walked unless it is named here.
FILE, PART, SENDS_ON = "a file to keep", "a part of a page", "leads to another page at once"
LEFT_OUT = {
    "counter_registers.export_book": FILE, "stock_climate.export_month": FILE, "stock_counts.export_sheet": FILE, "stock_shelf.export_shelf": FILE,
    "stock_shelf.export_movements": FILE, "stock_shelf.export_turnover": FILE, "purchase_proposals.export_shelves": FILE,
    "stock.find_products": PART, "stock_papers.show_line": PART, "stock_papers.find_places": PART, "stock_transfers.find_goods": PART,
    "stock_counts.lines_of_code": PART, "purchase_orders.last_price": PART, "purchase_deliveries.check": PART, "purchase_deliveries.new_line": PART,
    "counter_registers.list_books": SENDS_ON,
}  # fmt: skip
# Where the record everybody knows shows another page: the one that shows this page, by the name of its id.
RECORDS = {
    "stock_counts.show_differences": {"count_id": "closed_count_id"},
    "purchase_deliveries.print_delivery": {"delivery_id": "accepted_id"},
    "stock_transfers.receive_page": {"transfer_id": "coming_id"},
}
# Other sights of a page: what stands behind its address, or other records.
SIGHTS = {
    "stock.show": ("view=lots", "view=places", "view=codes", "q=没有这种药"),
    "stock_keeping.list_due": ("only=all",),
    "stock_papers.list_papers": ("state=posted",),
    "stock_papers.show_paper": ({"document_id": "posted_id"},),
    "stock_papers.new_paper": ("act=hold&place={lot_id}:SALEABLE", "act=destroy", "act=return_out", "act=use"),
    "stock_papers.new_correction": ("lot={lot_id}",),
    "stock_counts.show_count": ({"count_id": "closed_count_id"},),
    "stock_shelf.list_labels": ("which=all",),
    "stock_shelf.choose_labels": ("product={product_id}",),
    "stock_shelf.new_price_change": ("product={product_id}",),
    "stock_transfers.list_transfers": ("view=sent", "view=claims", "view=done"),
    "stock_transfers.show_transfer": ({"transfer_id": "coming_id"},),
    "stock_recalls.new_recall": ("entry={code}",),
    "purchase_deliveries.show_delivery": ({"delivery_id": "accepted_id"},),
    "purchase_orders.show_order": ({"order_id": "draft_order_id"},),
    "purchase_approvals.list_requests": ("state=decided",),
    "purchase_licences.list_papers": ("owner=supplier&id={supplier_id}",),
    "purchase_licences.new_paper": ("owner=supplier&id={supplier_id}",),
    "purchase_payables.list_invoices": ("state=paid",),
    "purchase_payables.new_invoice": ("supplier={supplier_id}",),
    "counter_registers.show_book": tuple({"book": book} for book in BOOKS),
}  # fmt: skip
NEEDED = {"stock_shelf.choose_labels", "purchase_licences.new_paper"}  # Without their question there is no page.


@dataclass(frozen=True)
class Sight:
    """A page as somebody opens it."""

    endpoint: str
    path: str
    first: bool = True  # Axe takes its time: it looks at each page once, not at its other sights.

    @property
    def name(self) -> str:
        """For a file: the endpoint, and what follows the question mark."""
        return re.sub(r"[^\w.]+", "-", f"{self.endpoint}-{urlsplit(self.path).query}").strip("-")[:70]


def rules_of(app) -> list:
    """What may be opened in the rooms of the stock."""
    inside = re.compile(rf"({'|'.join(ROOMS)})(/|$)")
    return [rule for rule in routes.rules_of(app) if "GET" in rule.methods and inside.match(rule.rule)]


def sights_of(app, ids) -> list[Sight]:
    """Every page, and its other sights, with records that are there."""
    return [sight for rule in rules_of(app) if rule.endpoint not in LEFT_OUT for sight in _of(app, rule, ids)]


def _of(app, rule, ids) -> list[Sight]:
    own = RECORDS.get(rule.endpoint, {})
    path = address(app, rule, ids | {name: ids[value] for name, value in own.items()})
    assert path, f"{routes.named(rule)} has a parameter the walk does not know: {rule.arguments}"
    paths = [] if rule.endpoint in NEEDED else [path]
    for other in SIGHTS.get(rule.endpoint, ()):
        if isinstance(other, str):
            paths.append(f"{path}?{other.format(**ids)}")
        else:
            paths.append(address(app, rule, ids | {name: ids.get(value, value) for name, value in other.items()}))
    return [Sight(rule.endpoint, each, first=each == paths[0]) for each in paths]


# ---- what is data, and what is a word of ours ------------------------------------------------------------------------

HAN = re.compile(r"[\u3400-\u9fff]")
MASKED = re.compile(r"[\u3400-\u9fff]\*+[\u3400-\u9fff]?")  # A name of a person as screens show it.
# Everything a page says, seen or not, each with the place it stands at. What has a language of its own is meant so.
SAYS = """
() => {
  const said = [], skipped = 'script, style, template, [lang]:not(html)';
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.parentElement;
    if (at && !at.closest(skipped)) said.push(walker.currentNode.data);
  }
  for (const at of document.querySelectorAll('[placeholder], [title], [aria-label], [alt], [data-confirm], option, button[value]'))
    for (const name of ['placeholder', 'title', 'aria-label', 'alt', 'data-confirm', 'label'])
      if (at.hasAttribute(name) && !at.closest(skipped)) said.push(at.getAttribute(name));
  return said.map(text => text.trim()).filter(text => /[\\u3400-\\u9fff]/.test(text));
}
"""


def typed_into(url: str, tenant_id: int) -> list[str]:
    """Every text with Chinese in it that lies in a tenant's rows or came from the center, longest first: names, reasons, units, as typed."""
    found: set[str] = set()
    with connect(url) as owner:
        for table in fences.tables(owner):
            if table not in known.OF_NOBODY["facility"]:
                rows = owner.execute(f"select to_jsonb(t) from {table} t where tenant_id = %s", (tenant_id,))
                found.update(text for [row] in rows for text in _texts(row))
        told = owner.execute("select convert_from(body, 'UTF8')::jsonb from news where tenant_id = %s", (tenant_id,))
        found.update(text for [body] in told for text in _texts(body))
    return sorted(found, key=len, reverse=True)


def _texts(value):
    if isinstance(value, str) and HAN.search(value):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def untranslated(page, typed: list[str]) -> list[str]:
    """What an English page says in Chinese of its own accord."""
    return [text[:80] for text in page.evaluate(SAYS) if HAN.search(_without(text, typed))]


def _without(text: str, typed: list[str]) -> str:
    for each in typed:
        text = text.replace(each, "")
    return MASKED.sub("", text)


# ---- what is not drawn -----------------------------------------------------------------------------------------------

DRAWS = "() => [...document.querySelectorAll('svg use')].map(each => each.getAttribute('href').split('#')[1])"


def undrawn(page) -> list[str]:
    """Icons a page names and the sprite lacks: they leave a hole, and no browser complains of it."""
    sprite = (ROOT / "static" / "vendor" / "icons.svg").read_text()
    return [f"no icon {name}" for name in sorted(set(page.evaluate(DRAWS))) if f'id="{name}"' not in sprite]


# ---- what does not fit -----------------------------------------------------------------------------------------------

WIDER = """
() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return null;
  const held = each => { for (let at = each.parentElement; at !== document.body && at; at = at.parentElement) if (getComputedStyle(at).overflowX !== 'visible') return true; };
  const out = [...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > room + 1 && !held(each));
  return `${document.documentElement.scrollWidth} > ${room}: ` + out.slice(0, 3).map(each => each.outerHTML.slice(0, 120)).join(' | ');
}
"""


def overflow(page, size) -> str | None:
    """What makes a page wider than its window."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    return page.evaluate(WIDER)
