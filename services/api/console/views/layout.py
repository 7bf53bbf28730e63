"""What surrounds every page of somebody signed in: where one is, where one can go, what has just happened."""

from dataclasses import dataclass

from services.api.access.roles import Role
from services.api.console import paths, places
from services.api.console.texts import activity, common, credentials, overview
from services.api.console.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    label: str
    address: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence about what has just happened; `kind` is good, bad or plain."""

    text: str
    kind: str = "good"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the template `layout.html` shows.

    Attributes:
        title: Of the page; also of the browser's tab.
        csrf: For every form.
        nav: The sections.
        tabs: Pages within the section.
    """

    title: str
    csrf: str
    email: str
    role: str
    workspace_id: str
    workspace_name: str
    address: str
    nav: tuple[Place, ...]
    tabs: tuple[Place, ...] = ()
    notice: Notice | None = None


# Section and tab of a page, by name: label, address and, of a tab, who sees it. A new page takes its place here.
SECTIONS = {
    "connectors": (common.CONNECTORS, paths.WEBHOOKS),
    "overview": (overview.TITLE, places.OVERVIEW),
    "activity": (activity.TITLE, places.ACTIVITY),
}
CONNECTOR_TABS = {
    "webhooks": (common.WEBHOOKS, paths.WEBHOOKS, Role.VIEWER),
    "credentials": (credentials.TITLE, places.CREDENTIALS, Role.SUPER_ADMIN),
}


def layout_of(
    visitor: Visitor, title: str, *, section: str | None = None, tab: str | None = None, notice: Notice | None = None
) -> Layout:
    """Return what surrounds a page.

    Args:
        visitor: Who looks.
        title: Of the page.
        section: The entry of SECTIONS that it belongs to.
        tab: The entry of CONNECTOR_TABS that it belongs to; without one there are no tabs.
        notice: What has just happened.
    """
    tabs = CONNECTOR_TABS if tab is not None else {}
    return Layout(
        title=title,
        csrf=visitor.session.csrf,
        email=visitor.session.user.email,
        role=common.ROLES[visitor.caller.role.value],
        workspace_id=visitor.workspace.id,
        workspace_name=visitor.workspace.display_name,
        address=visitor.address,
        nav=tuple(Place(label, visitor.link(path), name == section) for name, (label, path) in SECTIONS.items()),
        tabs=tuple(
            Place(label, visitor.link(path), name == tab)
            for name, (label, path, needed) in tabs.items()
            if visitor.may(needed)
        ),
        notice=notice,
    )
