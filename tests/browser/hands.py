"""Hands and eyes of a person at the browser: keys, the scanner, and what is to be seen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from tests.browser.product import PASSWORD, ROOT

IMAGES = ROOT / "docs" / "images"
DRAWS = os.environ.get("SUNMED_IMAGES") == "1"
GAP_SECONDS = 0.006  # Between two characters of a scanner.
PERSON_MS = 45  # Between two keys of a person; the page takes anything under 35 for a scanner.
ONCE_MS = 650  # A second F9 that comes sooner, when the next page stands there, is taken for a double press.
CARD = "N202600{:02d}"
_pressed: WeakKeyDictionary = WeakKeyDictionary()  # When somebody pressed F9 last, by page.

# The page tells when a scan was complete, when its line stood there, when F9 was pressed and when the sale was settled.
WATCH = """
window.printed = [];
window.print = () => { window.printed.push(document.querySelector('#print-area, .roll')?.textContent ?? ''); window.dispatchEvent(new Event('afterprint')); };
window.seen = { scan: [], settle: [], shift: 0 };
document.addEventListener('sunmed:scan', () => { window.askedAt = performance.now(); }, true);
document.addEventListener('keydown', (event) => { if (event.key === 'F9') window.settleAt = performance.now(); }, true);
new PerformanceObserver((list) => { for (const each of list.getEntries()) if (!each.hadRecentInput) window.seen.shift += each.value; }).observe({ type: 'layout-shift', buffered: true });
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) {
    if (!(node instanceof Element)) continue;
    if (window.askedAt && (node.id === 'basket' || node.querySelector('#basket'))) { window.seen.scan.push(performance.now() - window.askedAt); window.askedAt = 0; }
    if (window.settleAt && node.dataset?.sale) { window.seen.settle.push(performance.now() - window.settleAt); window.settleAt = 0; }
  }
}).observe(document, { childList: true, subtree: true });
"""


def scan(page, text: str, end: str = "Enter", *, stumble: int = -1) -> None:
    """A scanner's burst, into whatever has the focus: each key with its own moment, a few milliseconds apart.

    Before the character `stumble` it rests for a tenth of a second, as on a busy machine.
    """
    ready(page)
    page.wait_for_timeout(60)  # Nobody types and scans within the same breath.
    at, keys = time.time(), []
    for place, sign in enumerate(text):
        at += 0.1 if place == stumble else GAP_SECONDS
        keys += _stroke(at, sign, _place(sign), ord(sign.upper()), sign)
    keys += _stroke(at + GAP_SECONDS, end, end, {"Enter": 13, "Tab": 9}[end], "\r" if end == "Enter" else "")
    session = page.context.new_cdp_session(page)
    # All at once: a scanner does not wait until the page has heard a key before it sends the next.
    sending = [session._impl_obj.send("Input.dispatchKeyEvent", key, None) for key in keys]
    session._sync(_all(sending))
    session.detach()


async def _all(sending) -> None:
    await asyncio.gather(*sending)


def _stroke(at: float, key: str, code: str, number: int, text: str) -> list[dict]:
    """A key goes down and up again."""
    up = {"type": "keyUp", "key": key, "code": code, "windowsVirtualKeyCode": number, "timestamp": at}
    return [up | {"type": "keyDown"} | ({"text": text, "unmodifiedText": text} if text else {}), up]


@contextmanager
def no_answer_yet(page, address: str):
    """What the page asks at this address (a pattern) is answered only afterwards."""
    held: list[Route] = []
    holds = True
    page.route(re.compile(address), lambda route: held.append(route) if holds else route.continue_())
    yield
    for _ in range(40):
        if held:
            break
        page.wait_for_timeout(50)
    assert held, f"nothing was asked at {address}"
    holds = False
    for route in held:
        route.continue_()


def _place(sign: str) -> str:
    if sign.isdigit():
        return f"Digit{sign}"
    return f"Key{sign.upper()}" if sign.isalpha() else {"+": "Equal"}.get(sign, "Minus")


def ready(page) -> None:
    """Nobody presses a key before the page stands there: what it brings is at work when it has loaded, not when it is first seen."""
    page.wait_for_load_state("load")


def sign_in(page, url: str, code: str, name: str, password: str = PASSWORD) -> None:
    """Come in by the door, with the keyboard alone."""
    page.goto(f"{url}/signin")
    expect(page.locator("#code")).to_be_focused()
    type_in(page, code)
    press(page, "Tab")
    type_in(page, name)
    press(page, "Tab")
    type_in(page, password)
    press(page, "Enter")


def type_in(page, text: str) -> None:
    """Type as a person does: nobody's keys come as fast as a scanner's."""
    ready(page)
    page.keyboard.type(text, delay=PERSON_MS)


def press(page, *keys: str) -> None:
    """Press one key after the other, as a person does. What a key brings that the next one needs is waited for in between."""
    for key in keys:
        ready(page)
        if key == "F9":
            page.wait_for_timeout(max(0, ONCE_MS - (time.monotonic() - _pressed.get(page, 0)) * 1000))
        page.keyboard.press(key, delay=PERSON_MS)
        if key == "F9":
            _pressed[page] = time.monotonic()


def pressed_just_before(page) -> None:
    """As if F9 had been pressed a moment ago, on the page before this one."""
    page.evaluate("sessionStorage.setItem('sunmed.pressed', `0 ${Date.now()}`)")


def lines(page):
    return page.locator("#basket tr.line")


def total(page) -> str:
    return page.locator("#split .total dd").inner_text()


def figure(page, word: str) -> str:
    """A sum of the money bar, by its word."""
    return page.locator("#split .sums > div", has=page.locator("dt", has_text=word)).locator("dd").inner_text()


def scan_line(page, code: str, count: int) -> None:
    """Scan a box and wait until that many lines stand there."""
    scan(page, code)
    expect(lines(page)).to_have_count(count)


def expect_settled(page) -> str:
    """The sale went through: the counter stands ready and names the receipt. Returns its number."""
    expect(page.locator("#settled[data-sale]")).to_be_attached(timeout=15_000)
    expect(lines(page)).to_have_count(0)
    expect(page.locator("#person")).to_contain_text("上一单")
    return re.search(r"S\d{2}-\d{4}-\d{4,}", page.locator("#person").inner_text()).group()


def chosen(page, text: str):
    """What the list under an entry offers for this text, once it speaks of all of it."""
    return page.locator(f"#choices [data-q='{text}'] [role=option]")


def look_until(page, address: str, there, seconds: float = 60) -> None:
    """Load a page again and again, as somebody at work does, until something stands there that comes by itself."""
    until = time.monotonic() + seconds
    while True:
        page.goto(address)
        with contextlib.suppress(AssertionError):
            return expect(there.first).to_be_visible(timeout=1_000)
        assert time.monotonic() < until, f"{there} does not stand at {address} after {seconds:.0f} seconds"


def printed(page, count: int) -> str:
    """Wait until that many slips went to the printer; returns the last one's text."""
    for _ in range(200):
        slips = page.evaluate("window.printed")
        if len(slips) >= count:
            assert len(slips) == count
            return slips[-1]
        page.wait_for_timeout(100)
    raise AssertionError(f"{len(slips)} slips were printed, not {count}")


def check_axe(page, name: str) -> None:
    """Nothing serious or critical for people who do not see or do not use a mouse."""
    # Half way from one colour to the next is no contrast to judge.
    page.evaluate(
        "Promise.allSettled(document.getAnimations().filter(one => one instanceof CSSTransition).map(one => one.finished)).then(() => true)"
    )
    found = [
        f"{each['id']}: {each['help']} {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in Axe().run(page).response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
    assert not found, f"{name}: " + "\n".join(found)


def speak(page, language: str) -> None:
    """Change the language of this browser and show the page again."""
    page.context.add_cookies([{"name": "lang", "value": language, "url": page.url}])
    page.reload()


def picture(page, name: str, size: tuple[int, int] = (1280, 800)) -> None:
    """Write a picture for the guides; only when asked for, so that a plain run leaves the tree clean."""
    if not DRAWS:
        return
    IMAGES.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    if (before["width"], before["height"]) != size:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_timeout(150)
    path = Path(IMAGES / f"{name}.png")
    page.screenshot(path=path, animations="disabled", caret="hide")
    page.set_viewport_size(before)
