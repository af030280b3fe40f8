"""A hospital's own list of drugs, as it is, through the import's pages: looked at, taken whole, and undone."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.hands import check_axe, press
from tests.browser.scenes import look

LIST = "hospital_formulary/药品目录 20260227.xlsx"


@pytest.fixture
def real_list():
    folder = os.environ.get("SUNMED_REAL_DATA", "")
    path = Path(folder) / LIST
    if not folder or not path.exists():
        pytest.skip("SUNMED_REAL_DATA does not name the folder with the real files")
    return path


def test_import_a_real_list_take_it_and_undo_it(real_list, wings, sign_in, product):
    from launcher.places import PLACES
    from tests.browser.conftest import shop_of

    page = sign_in(shop_of(wings, PLACES[1]), "001")
    page.goto(f"{product.url}/catalog/imports")
    page.locator("#file").set_input_files(real_list)
    press(page, "F9")
    expect(page.locator("select[name^=column-]").first).to_be_visible(timeout=30_000)
    check_axe(page, "columns")
    press(page, "F9")
    expect(page.locator(".trio")).to_be_visible(timeout=60_000)
    expect(page.locator(".head")).to_contain_text("1,172 行")
    expect(page.locator("main")).to_contain_text("20 个编码")
    expect(page.locator("[data-primary]").last).to_be_disabled()
    look(page, "catalog-preview")
    page.locator("#duplicates-keep").check()
    if page.locator("#errors-skip").count():
        page.locator("#errors-skip").check()
    page.get_by_role("button", name="就这样处理").click()
    take = page.get_by_role("button", name=re.compile("^导入 "))
    expect(take).to_be_enabled(timeout=30_000)
    press(page, "F9")
    expect(page.locator("main")).to_contain_text("已导入。", timeout=60_000)
    page.get_by_role("button", name="撤销这次导入").click()
    expect(page.locator("main")).to_contain_text("已撤销。", timeout=60_000)
