"""What mails say, to whoever reads them as text, as HTML, or has them read out."""

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from coro_events.store.mailing import Listed, Listing, MailKind, OpenMail, Words
from services.scheduler.mail.texts import write

CONSOLE = "https://console.example.com"
EXPIRES_AT = datetime(2026, 9, 2, 10, tzinfo=UTC)
WEBHOOK = Listed(
    id=uuid.UUID("4c0d5b0e-3f6d-4e0a-9a55-5a0f8b8f6c11"),
    name="Billing",
    version=1,
    url="https://receiver.example.com/hook?key=hidden-word",
    disabled_reason=None,
    workspace_id="acme",
    workspace="Acme",
    expires_at=EXPIRES_AT,
    draft_version=None,
)
SEVERAL = [WEBHOOK, replace(WEBHOOK, name="Usage"), replace(WEBHOOK, name="Onboarding", workspace="Bolt")]


def mail(kind: MailKind, *webhooks: Listed, total: int = 0, console_url: str | None = CONSOLE) -> Words:
    version = None if kind is MailKind.DISABLED else 1
    opened = OpenMail(uuid.uuid4(), "msp", "Best MSP", kind, version)
    listing = Listing(webhooks or (WEBHOOK,), total or len(webhooks) or 1)
    return write(opened, listing, newest=2, console_url=console_url)


class Page(HTMLParser):
    """Reads HTML strictly: every tag is closed, and in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in {"meta", "br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"h1", "h2", "h3"}:
            self.headings.append(self.open[-1])
        if "style" not in self.open and "title" not in self.open:
            self.words += data.split()


def test_first_notice_tells_the_dates_and_lists_webhooks_by_workspace() -> None:
    words = mail(MailKind.FIRST, *SEVERAL)
    assert words.subject == "Webhook version 1 expires on 2 September 2026 (Best MSP)"
    flowed = " ".join(words.text.split())
    assert "3 webhooks in Best MSP and the workspaces below it still use version 1." in flowed
    assert "On 2 August 2026 you get a reminder" in flowed
    assert "On 3 September 2026, 10:00 UTC those that still use version 1 stop delivering." in flowed
    assert flowed.index("Acme") < flowed.index("Billing") < flowed.index("Usage") < flowed.index("Bolt")
    assert f"{CONSOLE}/portal/settings/connectors/webhooks?workspace=acme#webhook-{WEBHOOK.id}" in words.text


def test_reminder_tells_of_the_drafts_and_of_whoever_has_none() -> None:
    words = mail(MailKind.REMINDER, replace(WEBHOOK, draft_version=2), replace(WEBHOOK, name="Usage"))
    assert words.subject == "Reminder: webhook version 1 expires on 2 September 2026 (Best MSP)"
    assert words.text.count("has no draft") == 1
    assert "no event is lost, and none is sent twice" in " ".join(words.text.split())


def test_end_tells_which_webhooks_have_a_draft_to_publish() -> None:
    words = mail(MailKind.EXPIRED, replace(WEBHOOK, draft_version=2), replace(WEBHOOK, name="Usage"))
    assert words.subject == "Webhook version 1 has expired: 2 webhooks stopped (Best MSP)"
    assert "has a draft at version 2" in words.text
    assert "no draft" in words.text


def test_failure_tells_its_reason() -> None:
    reason = "4 of 4 attempts failed. The last one: status 500"
    words = mail(MailKind.DISABLED, replace(WEBHOOK, workspace="Best MSP", disabled_reason=reason))
    assert words.subject == "1 webhook disabled after failed deliveries (Best MSP)"
    assert "1 webhook in Best MSP is disabled" in words.text
    assert reason in words.text


@pytest.mark.parametrize("kind", MailKind)
def test_both_parts_say_the_same_and_the_html_is_in_order(kind: MailKind) -> None:
    words = mail(kind, *SEVERAL)
    page = Page(words.html)
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1
    spoken = set(re.findall(r"[A-Za-z]{4,}", re.sub(r"https?://\S+", "", words.text)))
    assert spoken <= {word for text in page.words for word in re.findall(r"[A-Za-z]{4,}", text)} | {"console"}
    assert '<html lang="en">' in words.html
    assert all(len(line) <= 78 for line in words.text.splitlines() if "http" not in line)


@pytest.mark.parametrize("kind", MailKind)
def test_what_a_url_may_hold_is_not_told(kind: MailKind) -> None:
    words = mail(kind)
    assert "hidden-word" not in words.text + words.html
    assert "receiver.example.com" in words.text


def test_names_cannot_break_out() -> None:
    evil = replace(WEBHOOK, name='<script>alert("1")</script>', workspace="Acme\r\nBcc: all@example.com")
    words = mail(MailKind.FIRST, evil)
    assert "<script>" not in words.html
    assert "&lt;script&gt;" in words.html
    assert "\nBcc" not in words.text


def test_subject_is_one_line_when_the_workspaces_name_is_not() -> None:
    opened = OpenMail(uuid.uuid4(), "msp", "Best\r\nBcc: all@example.com", MailKind.FIRST, 1)
    words = write(opened, Listing((WEBHOOK,), 1), newest=2, console_url=None)
    assert "\n" not in words.subject
    assert "\r" not in words.subject


def test_links_are_left_out_when_no_console_is_known() -> None:
    words = mail(MailKind.FIRST, console_url=None)
    assert "http" not in words.text
    assert "<a " not in words.html


def test_long_list_counts_what_it_leaves_out() -> None:
    words = mail(MailKind.FIRST, *SEVERAL, total=1_203)
    assert "1203 webhooks" in words.text
    assert "and 1,200 more" in words.text
