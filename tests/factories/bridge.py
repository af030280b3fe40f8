"""The way between the wings in one process: the center publishes, the facilities pull through the center's own door."""

from __future__ import annotations

from uuid import uuid4

import httpx

from app.center.db import action as center_action
from app.center.db import db as center_db
from app.core import tenancy
from app.facility import news
from app.facility.db import db
from central_sync import news as center_news
from central_sync.puller import Puller
from central_sync.transports.http import HttpTransport


def transport_to(center_app, pharmacies) -> HttpTransport:
    """The center's door, with the secrets of these pharmacies."""
    client = httpx.Client(
        transport=httpx.WSGITransport(app=center_app, script_name="/center", raise_app_exceptions=False)
    )
    secrets = {pharmacy.code: pharmacy.center_secret.encode() for pharmacy in pharmacies}
    return HttpTransport("http://center", secrets.get, client=client)


def pull(facility_app, center_app, *pharmacies):
    """Let these pharmacies pull their news once; returns what the look saw."""
    asker = transport_to(center_app, pharmacies)
    with facility_app.app_context():
        engine = db.engine_of("relay").execution_options(isolation_level="AUTOCOMMIT")
        seen = Puller(engine, asker, news.take).look()
    asker.close()
    return seen


def tell(center_app, codes, kind, body) -> dict:
    """Publish one body to institutions, as an officer of the province."""
    publish = center_action(lambda: center_news.publish(center_db.session.connection(), codes, kind, body))
    with center_app.app_context(), tenancy.acting_as(district="33"):
        return publish()


def a_notice(**changes) -> dict:
    """A valid body of a notice."""
    return {
        "notice": str(uuid4()), "number": "T2026-1", "published_at": "2026-11-22T02:00:00Z", "issuer": "测试中心",
        "title": "系统维护", "text": "今晚两点维护。", **changes,
    }  # fmt: skip


def a_view(**changes) -> dict:
    """A valid body that tells of a look at this facility's records."""
    return {
        "viewed_at": "2026-11-22T02:00:00Z", "viewer": "江东诊所", "visits": 2, "drugs": 3,
        "documents": [f"33021220261122{n:06d}" for n in range(7)], **changes,
    }  # fmt: skip
