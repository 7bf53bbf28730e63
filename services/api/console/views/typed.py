"""What somebody typed into the form of a webhook: read from the form, turned into the body that the API checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from coro_events.contract.triggers import Trigger, parse_rest_name, rest_name
from services.api.console.forms import Form
from services.api.refusals import Fault
from services.api.webhooks.rules import MASK, MAX_HEADERS, repeated
from services.api.webhooks.schemas import WebhookView


class Header(NamedTuple):
    """A row of the headers, as it stands in the form."""

    name: str = ""
    value: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed."""
        return not self.name and not self.value


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form; nothing of it is checked.

    Attributes:
        triggers: The slugs.
        revision: Of the webhook when the form was opened; empty for a new one.
    """

    name: str = ""
    description: str = ""
    url: str = ""
    secret: str = ""
    headers: tuple[Header, ...] = (Header(),)
    triggers: frozenset[str] = frozenset()
    apply_to_children: bool = False
    revision: str = ""

    def __repr__(self) -> str:
        """Tell nothing: it holds a secret."""
        return "Typed(********)"

    @classmethod
    def of_form(cls, form: Form) -> Self:
        """Return what a form holds; of the rows of headers all, also empty ones, up to one more than there may be."""
        pairs = zip(form.all("header-name"), form.all("header-value"), strict=False)
        return cls(
            name=form.text("name"),
            description=form.text("description"),
            url=form.text("url").strip(),
            secret=form.text("secret"),
            headers=tuple(Header(name.strip(), value.strip()) for name, value in pairs)[: MAX_HEADERS + 1],
            triggers=frozenset(form.all("trigger")),
            apply_to_children=form.has("apply-to-children"),
            revision=form.text("revision"),
        )

    @classmethod
    def of_webhook(cls, view: WebhookView, revision: str) -> Self:
        """Return what the form of a webhook begins with; its secrets are masked."""
        return cls(
            name=view.name,
            description=view.description,
            url=view.url,
            secret=MASK,
            headers=tuple(Header(name, value) for name, value in view.headers.items()),
            triggers=frozenset(parse_rest_name(name)[0].value for name in view.triggers),
            apply_to_children=view.apply_to_all_descendants,
            revision=revision,
        )

    def body(self, version: int) -> Mapping[str, Any]:
        """Return the body of the request that says the same."""
        known = [rest_name(one, version) for one in Trigger if one.value in self.triggers]
        # What a page of ours would not send is told as the API tells it.
        strange = sorted(self.triggers - set(Trigger))
        return {
            "name": self.name,
            "description": self.description,
            "applyToAllDescendants": self.apply_to_children,
            "url": self.url,
            "secret": self.secret,
            "headers": {header.name: header.value for header in self.headers if not header.is_empty},
            "triggers": [*known, *strange],
        }

    def faults(self) -> list[Fault]:
        """Return what the body cannot show: a name that stands there twice is there once."""
        twice = repeated(header.name for header in self.headers if not header.is_empty)
        if twice is None:
            return []
        return [Fault(f"headers.{twice}", "must not name a header twice; upper and lower case are the same")]
