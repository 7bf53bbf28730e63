"""Why an event did, or did not, reach a webhook."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from coro_events.contract.triggers import Trigger
from services.api.console import paths, places
from services.api.console.reading import printable, read_model
from services.api.console.routes.moving import at
from services.api.console.routes.webhooks import webhooks_layout
from services.api.console.texts import details as words
from services.api.console.views.explaining import Question, explained_of, recent_of
from services.api.console.views.webhooks import choices, sentence
from services.api.console.visitor import Viewer, Visitor
from services.api.explain.schemas import Explanation, MadeUpEvent
from services.api.history.ports import Filters
from services.api.ids import id_of
from services.api.refusals import InvalidInput, NoSuchEvent, NotFound

router = APIRouter()

RECENT = 5

Text = Annotated[str, Query(max_length=300)]


@router.get(at(places.ONE) + "/explain")
async def explain_page(
    webhook_id: str,
    visitor: Viewer,
    *,
    event: Text = "",
    source: Text = "",
    source_id: Annotated[Text, Query(alias="source-id")] = "",
    trigger: Annotated[Text, Query(alias="type")] = "",
    child: Text = "",
) -> Response:
    """Show the two forms, and each rule's verdict once one was filled in."""
    webhook, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    question = Question(*map(printable, (event, source, source_id, trigger, child)))
    faults: dict[str, str] = {}
    explanation = None
    if question.is_asked:
        try:
            explanation = await _answer(visitor, webhook.id, question)
        except InvalidInput as error:
            faults = {fault.field: sentence(fault.message) for fault in error.faults}
        except NoSuchEvent as error:
            faults = {"event": str(error)}
    recent = await visitor.rooms.histories.of_webhook(visitor.caller, webhook.id, Filters(), cursor=None, size=RECENT)
    return visitor.pages.page(
        "explain.html",
        status=400 if faults else 200,
        layout=webhooks_layout(visitor, words.EXPLAIN_TITLE.format(name=view.name)),
        question=question,
        faults=faults,
        explained=None if explanation is None else explained_of(explanation, visitor),
        recent=recent_of(recent.items),
        action=paths.webhook(view.id, "explain"),
        back=(view.name, visitor.link(paths.webhook(view.id))),
        types=choices({one.value: one.label for one in Trigger}, question.trigger or view_trigger(webhook.triggers)),
        child=question.child or visitor.workspace.id,
    )


def view_trigger(triggers: tuple[Trigger, ...]) -> str:
    """Return what is chosen at first: the first trigger of the webhook."""
    return triggers[0].value if triggers else ""


async def _answer(visitor: Visitor, webhook_id: uuid.UUID, question: Question) -> Explanation:
    if question.is_made_up:
        body = read_model(MadeUpEvent, {"type": question.trigger, "workspaceId": question.child})
        return await visitor.rooms.explain.made_up(visitor.caller, webhook_id, body)
    return await visitor.rooms.explain.past(
        visitor.caller,
        webhook_id,
        event=question.event or None,
        source=question.source or None,
        source_id=question.source_id or None,
    )
