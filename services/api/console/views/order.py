"""Where drafts stand in a list: under their originals."""

from collections.abc import Sequence

from services.api.webhooks.schemas import WebhookView


def under_originals(views: Sequence[WebhookView]) -> list[WebhookView]:
    """Return the webhooks of a page in their order, each draft right after its original if that is on the page."""
    here = {view.id for view in views}
    drafts = {view.draft_of: view for view in views if view.draft_of in here}
    ordered = []
    for view in views:
        if view.draft_of in here:
            continue
        ordered.append(view)
        if (draft := drafts.get(view.id)) is not None:
            ordered.append(draft)
    return ordered
