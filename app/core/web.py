"""What every page of both wings shares: headers, language, filters, and one way to say no.

A refusal is a sentence on a page, a fragment for htmx, or JSON for scripts; never a bare code, never a stack trace.
"""

from __future__ import annotations

import functools
import logging
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, Response, g, jsonify, render_template, request
from flask_babel import Babel, get_locale, get_translations, gettext
from flask_wtf.csrf import CSRFError, CSRFProtect
from markupsafe import Markup
from psycopg import errors as pg
from sqlalchemy import exc as sqlalchemy_errors
from werkzeug.exceptions import HTTPException

from app.core import clock, money
from app.core.errors import Outage, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from flask.typing import ResponseReturnValue

ROOT = Path(__file__).resolve().parent.parent.parent
LANGUAGES = ("zh", "en")
MANY = "(s)"  # Marks in English texts what a number n above one adds.
MOST_TEXTS = 20_000  # Kept for each language; the product has about 5,000.
Words = TypeVar("Words")
MOST_BYTES = 24 * 1024 * 1024  # An Excel file of 50,000 rows; messages and forms are far smaller.
_NEVER_CACHED = "no-store"

csrf = CSRFProtect()
log = logging.getLogger("sunmed.web")

POLICY = "; ".join(  # noqa: FLY002 - one line each
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def make_flask(wing: str, secret: str, *, testing: bool, https: bool) -> Flask:
    """Make the bare application of a wing with everything that is the same in both."""
    app = Flask(
        f"app.{wing}", root_path=str(ROOT), template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static")
    )
    app.config.update(
        SECRET_KEY=secret,
        WING=wing,
        TESTING=testing,
        PROPAGATE_EXCEPTIONS=False,  # Under TESTING the center's exceptions would fly through the wall into the facility.
        SESSION_COOKIE_NAME=f"sunmed_{wing}",
        SESSION_COOKIE_PATH="/" if wing == "facility" else "/center",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=5_000,
        WTF_CSRF_TIME_LIMIT=None,  # The token lives as long as the session; a till stays open all day.
        WTF_CSRF_SSL_STRICT=False,
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "translations"),
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    Babel(app, locale_selector=_language)
    _speak_quickly(app)
    csrf.init_app(app)
    app.before_request(_name_request)
    app.after_request(_protect)
    _add_filters(app)
    _add_error_pages(app)
    return app


def is_htmx() -> bool:
    """Say whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def language() -> str:
    """The language of the person asking: zh or en."""
    return str(get_locale()).split("_", maxsplit=1)[0]


def one_or_many(said: Markup, n: object) -> Markup:
    """An English text whose words fit the number n: "%(n)s day(s)" says 1 day, 2 days."""
    return said.replace(MANY, "" if n in {1, "1"} else "s")


def per_language(build: Callable[[], Words]) -> Callable[[], Words]:
    """Put a table of words together once for each language: a list says its words on every row."""
    kept: dict[str, Words] = {}

    @functools.wraps(build)
    def words() -> Words:
        spoken = language()
        if spoken not in kept:
            kept[spoken] = build()
        return kept[spoken]

    return words


def _language() -> str:
    chosen = request.cookies.get("lang", "zh") if request else "zh"  # Messages and workers speak Chinese.
    return "en" if chosen == "en" else "zh_Hans_CN"


def _speak_quickly(app: Flask) -> None:
    """Look the reader's language up once a page and every text once: a page has hundreds of words."""
    said: dict[str, dict[str, Markup]] = {}

    def say(text: str, **facts: object) -> str:
        try:
            known: dict[str, Markup] = g.said
        except AttributeError:
            known = g.said = said.setdefault(language(), {})
        found = known.get(text)
        if found is None:
            if len(known) >= MOST_TEXTS:
                known.clear()
            found = known[text] = Markup(get_translations().ugettext(text))  # noqa: S704 -- our own text; the facts in it are escaped
        return (one_or_many(found, facts.get("n")) if MANY in found else found) % facts

    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=say, ngettext=lambda one, many, n: get_translations().ungettext(one, many, n), newstyle=True
    )
    app.jinja_env.globals.update(_=say, gettext=say)


def _name_request() -> None:
    g.request_id = uuid.uuid4().hex[:12]


def _protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", _NEVER_CACHED)
    return response


# ---- filters -----------------------------------------------------------------------------------------------------


def _add_filters(app: Flask) -> None:
    app.jinja_env.filters["fen"] = show_fen
    app.jinja_env.filters["local_time"] = show_time
    app.jinja_env.filters["local_clock"] = lambda at: f"{clock.local(at):%H:%M}" if at else ""
    app.jinja_env.filters["local_day"] = show_day
    app.jinja_env.filters["thousands"] = lambda number: f"{number:,}"
    app.jinja_env.filters["price"] = show_price


def show_fen(amount_fen: int | None) -> str:
    """1234567 -> 12,345.67; nothing for an unknown amount."""
    if amount_fen is None:
        return ""
    whole, _, cents = money.fen_to_yuan(amount_fen).partition(".")
    return f"{int(whole):,}.{cents}" if not whole.startswith("-0") else f"-0.{cents}"


def show_price(price: Any) -> str:
    """A unit price with at least two places and no idle zeros behind them."""
    text = f"{price:.6f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"{int(whole):,}.{cents:<02}".replace(" ", "0")


def show_time(at: datetime | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A moment as the clock on the wall in China shows it."""
    return clock.local(at).strftime(form) if at else ""


def show_day(day: date | None) -> str:
    """A day as 2026-11-22."""
    return day.isoformat() if day else ""


# ---- failures ----------------------------------------------------------------------------------------------------


def _add_error_pages(app: Flask) -> None:
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(Outage, _outage)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(sqlalchemy_errors.DataError, _unstorable)
    app.register_error_handler(pg.DataError, _unstorable)
    app.register_error_handler(sqlalchemy_errors.OperationalError, _database_away)
    app.register_error_handler(Exception, _bug)


def answer_failure(code: str, message: str, status: int, template: str = "errors/refusal.html") -> ResponseReturnValue:
    """Say no in the form the asker understands."""
    if request.accept_mimetypes.best == "application/json" or request.is_json:
        return jsonify(code=code, message=message), status
    part = "errors/_refusal.html" if is_htmx() else template
    return render_template(part, code=code, message=message, status=status), status


def _refused(refusal: Refusal) -> ResponseReturnValue:
    return answer_failure(
        refusal.code,
        refusal.message,
        refusal.status,
        "errors/not_found.html" if refusal.status == 404 else "errors/refusal.html",
    )


def _outage(outage: Outage) -> ResponseReturnValue:
    log.warning("outage %s %s", getattr(g, "request_id", "-"), outage.reason)
    message = gettext("暂时没有得到回答，请稍候再试；刚才没有保存任何内容，可以放心重试。")
    return answer_failure("outage", message, 503, "errors/error.html")


def _forged(_error: CSRFError) -> ResponseReturnValue:
    message = gettext("页面已过期，或不是从本站提交的。请刷新页面后再提交；刚才没有保存任何内容。")
    return answer_failure("expired_page", message, 400, "errors/refusal.html")


def _unstorable(error: Exception) -> ResponseReturnValue:
    log.info("unstorable input %s %s", getattr(g, "request_id", "-"), type(error).__name__)
    message = gettext("提交的内容里有无法保存的字符，或数字过大。请检查后再提交；刚才没有保存任何内容。")
    return answer_failure("unstorable", message, 422, "errors/refusal.html")


def _database_away(error: Exception) -> ResponseReturnValue:
    return _outage(Outage(f"database: {type(error).__name__}"))


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    sentences = {
        403: gettext("您的岗位不能做这件事。需要时请联系本机构负责人。"),
        404: gettext("没有这个页面，或记录不属于本机构。请从左侧功能进入。"),
        405: gettext("这个地址不接受这样的操作。请返回上一页。"),
        413: gettext("提交的内容太大。文件请不要超过 24 MB。"),
        429: gettext("操作太频繁，请稍候再试。"),
    }
    templates = {403: "errors/denied.html", 404: "errors/not_found.html"}
    message = sentences.get(status, gettext("请求无法理解，没有保存任何内容。请返回上一页后重试。"))
    return answer_failure(f"http_{status}", message, status, templates.get(status, "errors/error.html"))


def _bug(error: Exception) -> ResponseReturnValue:
    log.exception("bug %s %s %s", getattr(g, "request_id", "-"), request.method, request.url_rule, exc_info=error)
    message = gettext("系统出错了，这一步没有保存。请重试；仍然出错时请把编号 {number} 告诉维护人员。").format(
        number=getattr(g, "request_id", "-")
    )
    return answer_failure("bug", message, 500, "errors/error.html")
