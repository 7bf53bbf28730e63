"""What the workspace switcher shows."""

from dataclasses import dataclass

from services.api.console import paths
from services.api.console.texts import workspaces as words
from services.api.console.views.paging import Pager, pager
from services.api.console.visitor import Visitor
from services.api.paging import Page
from services.api.workspaces.schemas import WorkspaceView


@dataclass(frozen=True, slots=True)
class Option:
    """A workspace that one can go to."""

    id: str
    name: str
    kind: str
    address: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Options:
    """One page of workspaces."""

    search: str
    told: str
    items: tuple[Option, ...]
    pager: Pager


def options_of(found: Page[WorkspaceView], visitor: Visitor, *, search: str, page: int, page_size: int) -> Options:
    """Return what the switcher shows."""
    total = found.totalElements
    told = words.FOUND_ONE if total == 1 else words.FOUND.format(total=f"{total:,}")
    here = visitor.workspace.id
    return Options(
        search=search,
        told=told if total else words.NONE.format(search=search),
        items=tuple(
            Option(
                id=one.id,
                name=one.display_name,
                kind=words.TYPES.get(one.type, one.type),
                address=paths.link(paths.HOME, one.id),
                is_here=one.id == here,
            )
            for one in found.items
        ),
        pager=pager(
            lambda number: visitor.link(paths.WORKSPACES, search=search, page=number or None),
            page=page,
            page_size=page_size,
            total=total,
        ),
    )
