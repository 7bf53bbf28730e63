"""A mail in words: as plain text that reads well, and as simple HTML that says the same."""

import textwrap
from html import escape

from coro_events.store.mailing import Listing, OpenMail, Words
from services.scheduler.mail.letters import Draft, Item, draft

_WIDTH = 76

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:0 auto;padding:1em}"
    "h1{font-size:1.3em;line-height:1.3}h2{font-size:1.1em;margin:1.5em 0 .3em}h3{font-size:1em;margin:1em 0 .2em}"
    "ul,ol{margin:.3em 0;padding-left:1.4em}li{margin:.2em 0}.note{font-size:.9em}"
)


def write(mail: OpenMail, listing: Listing, *, newest: int, console_url: str | None) -> Words:
    """Return subject and parts of a mail.

    Args:
        mail: Which one.
        listing: Its webhooks, at least one.
        newest: The newest released version.
        console_url: Where the console is, without a path.
    """
    said = draft(mail, listing, newest=newest, console_url=console_url)
    return Words(subject=" ".join(said.subject.split()), text=_text(said), html=_html(said))


def _text(said: Draft) -> str:
    lines = []
    for paragraph in said.opening:
        lines += [_filled(paragraph), ""]
    for workspace, items in said.groups:
        lines += [workspace]
        for item in items:
            lines += _text_item(item)
        lines.append("")
    if said.others:
        lines += [f"and {said.others:,} more; the console lists all of them.", ""]
    lines += [said.heading, ""]
    lines += [_filled(step, first="- ", rest="  ") for step in said.steps]
    if said.link:
        lines += ["", f"The console: {said.link}"]
    lines += ["", "-- ", _filled(said.closing), ""]
    return "\n".join(lines)


def _text_item(item: Item) -> list[str]:
    lines = [f"  * {item.name}, to {item.host}"]
    lines += [_filled(item.note, first="    ", rest="    ")] if item.note else []
    lines += [f"    {item.link}"] if item.link else []
    return lines


def _filled(text: str, *, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _html(said: Draft) -> str:
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(said.subject)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(said.title)}</h1>",
        *(f"<p>{escape(paragraph)}</p>" for paragraph in said.opening),
        "<h2>Webhooks</h2>",
    ]
    for workspace, items in said.groups:
        parts += [f"<h3>{escape(workspace)}</h3>", "<ul>", *map(_html_item, items), "</ul>"]
    if said.others:
        parts.append(f"<p>and {said.others:,} more; the console lists all of them.</p>")
    parts += [f"<h2>{escape(said.heading)}</h2>", "<ul>"]
    parts += [f"<li>{escape(step)}</li>" for step in said.steps]
    parts.append("</ul>")
    if said.link:
        parts.append(f'<p><a href="{escape(said.link)}">Open the webhooks in the console</a></p>')
    parts += ["<hr>", f"<p><small>{escape(said.closing)}</small></p>", "</main></body></html>", ""]
    return "\n".join(parts)


def _html_item(item: Item) -> str:
    name = f'<a href="{escape(item.link)}">{escape(item.name)}</a>' if item.link else escape(item.name)
    note = f'<br><span class="note">{escape(item.note)}</span>' if item.note else ""
    return f"<li>{name}, to {escape(item.host)}{note}</li>"
