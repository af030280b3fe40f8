"""Kill the puller after the center answered and after the news was applied: it is applied exactly once."""

import json

import pytest

from tests.factories.bridge import a_notice, tell
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import one
from tests.faults.conftest import Process, eventually

pytestmark = pytest.mark.faults


def counts(pharmacy):
    row = one(
        pharmacy,
        """select (select count(*) from news where facility_id = %(f)s)::int as items,
            coalesce((select max(number) from news_head where facility_id = %(f)s), 0)::int as number""",
    )
    return row.items, row.number


@pytest.mark.parametrize("point", ["news.answered", "news.applied"])
def test_a_kill_between_pull_and_commit_applies_the_news_once(wings, facility_app, center_app, tmp_path, point):
    secrets = tmp_path / "secrets.json"
    environment = {
        **wings.center.environment,
        "SUNMED_BRIDGE_URL": wings.center.environment["SUNMED_CENTER_ADDRESS"],
        "SUNMED_BRIDGE_SECRETS": str(secrets),
        "SUNMED_NEWS_SECONDS": "0.1",
    }
    with facility_app.app_context():
        pharmacy = make_insured_pharmacy(facility_app, center_app)
        secrets.write_text(json.dumps({pharmacy.code: pharmacy.center_secret}))
        for title in ("一", "二"):
            tell(center_app, [pharmacy.code], "notice.published", a_notice(title=title))
        puller = Process(wings.nursery, "news", environment)
        wings.center.start()
        try:
            puller.start(f"{point}:kill")
            puller.wait_killed()
            assert counts(pharmacy) == (0, 0)

            puller.start()
            eventually(lambda: counts(pharmacy) == (2, 2))
        finally:
            puller.stop()
            wings.stop()
        assert counts(pharmacy) == (2, 2)
