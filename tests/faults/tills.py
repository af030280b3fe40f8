"""A browser without a screen, over real HTTP to a process that may be killed."""

import re

from tests.factories.people import PASSWORD


class Till:
    """Somebody at a browser; the clerk unless another number is told."""

    def __init__(self, wings, pharmacy, number="002"):
        self.client = wings.client()
        self.pharmacy = pharmacy
        page = self.client.get("/signin")
        form = {"code": pharmacy.code, "name": number, "password": PASSWORD, "csrf_token": token_of(page.text)}
        answer = self.client.post("/signin", data=form)
        assert answer.status_code in {302, 303}, answer.text[:300]
        if "/signin/change" in answer.headers.get("location", ""):
            raise AssertionError("the clerk must change the password first")
        self.token = token_of(self.client.get("/account").text)

    def post(self, path, **form):
        return self.client.post(path, data=form, headers={"X-CSRFToken": self.token, "Accept": "application/json"})


def token_of(page):
    return re.search(r'name="csrf[-_]token"[^>]*(?:content|value)="([^"]+)"', page).group(1)
