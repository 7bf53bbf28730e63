"""The interactive documentation: whole, and without anything from elsewhere."""

import json
import re

import httpx

from deploy.generate import ROOT


async def test_the_page_loads_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    page = await http.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    # No script and no style in the page itself, which the policy would refuse.
    assert not re.search(r"<script>|<style|\son\w+=", page.text)
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(named) == 5
    for link in named:
        assert not re.match(r"\w+://|//", link)
        if link != "data:,":
            answer = await http.get(f"/{link}")
            assert answer.status_code == 200, link
            assert answer.headers.get("x-content-type-options", "nosniff") == "nosniff"


async def test_a_file_that_is_not_there_is_a_problem(http: httpx.AsyncClient) -> None:
    answer = await http.get("/docs/secrets.js")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_the_document_is_the_committed_one(http: httpx.AsyncClient) -> None:
    answer = await http.get("/openapi.json")
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.json() == json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
