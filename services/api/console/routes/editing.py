"""Creating and editing a webhook: what is wrong comes back beside what was typed, nothing of which is lost."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Response
from pydantic import ValidationError

from services.api.console import paths
from services.api.console.forms import Form
from services.api.console.keeping import BUTTON, SHOW
from services.api.console.routes.moving import at, go
from services.api.console.routes.webhooks import tested, webhooks_layout
from services.api.console.texts import webhooks as words
from services.api.console.views.editing import editing_of
from services.api.console.views.typed import Header, Typed
from services.api.console.visitor import Administrator, SentByAdministrator, Visitor
from services.api.faults import faults_of
from services.api.ids import id_of
from services.api.refusals import EditConflict, Fault, InvalidInput, NameTaken, NotFound, TooManyWebhooks, WrongState
from services.api.webhooks.ports import Webhook
from services.api.webhooks.rules import MASK, MAX_HEADERS
from services.api.webhooks.schemas import WebhookCreate, WebhookUpdate
from services.api.webhooks.view import etag_of

router = APIRouter()

SECRET_BYTES = 32
_REMOVE = "remove-header-"


@router.get(at(paths.NEW_WEBHOOK))
async def new_page(visitor: Administrator) -> Response:
    """Show the empty form."""
    return await _form_of_new(visitor, Typed())


@router.post(at(paths.NEW_WEBHOOK))
async def create(sent: SentByAdministrator) -> Response:
    """Create a webhook; the list that follows shows it and the result of its first test."""
    visitor, typed = sent.visitor, Typed.of_form(sent.form)
    if (changed := pressed(sent.form, typed)) is not None:
        return await _form_of_new(visitor, changed)
    webhooks = visitor.rooms.webhooks
    rules = await webhooks.rules_of_create()
    try:
        body = WebhookCreate.model_validate(typed.body(max(rules.versions)), context=rules)
    except ValidationError as error:
        return await _form_of_new(visitor, typed, faults=[*typed.faults(), *_found(error)])
    if faults := typed.faults():
        return await _form_of_new(visitor, typed, faults=faults)
    try:
        webhook, view = await webhooks.create(visitor.caller, body, rules)
    except (InvalidInput, NameTaken, TooManyWebhooks) as error:
        return await _form_of_new(visitor, typed, refusal=error)
    return go(tested(visitor, str(webhook.id), view.test.id, view.created, told="created"))


@router.get(at(paths.WEBHOOKS) + "/{webhook_id}/edit")
async def edit_page(webhook_id: str, visitor: Administrator) -> Response:
    """Show the form of a webhook."""
    webhook, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    return _form_of(visitor, webhook, Typed.of_webhook(view, etag_of(webhook)))


@router.post(at(paths.WEBHOOKS) + "/{webhook_id}/edit")
async def edit(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Change a webhook."""
    visitor, typed = sent.visitor, Typed.of_form(sent.form)
    webhooks = visitor.rooms.webhooks
    webhook, _ = await webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    if (changed := pressed(sent.form, typed)) is not None:
        return _form_of(visitor, webhook, changed)
    if not typed.secret:
        typed = replace(typed, secret=MASK)
    try:
        body = WebhookUpdate.model_validate(typed.body(webhook.version), context=await webhooks.rules_of_update())
    except ValidationError as error:
        return _form_of(visitor, webhook, typed, faults=[*typed.faults(), *_found(error)])
    if faults := typed.faults():
        return _form_of(visitor, webhook, typed, faults=faults)
    try:
        await webhooks.update(visitor.caller, webhook.id, body, if_match=typed.revision or None)
    except EditConflict:
        # The next try is meant as a change of what it is now.
        now, _ = await webhooks.one(visitor.caller, webhook.id)
        return _form_of(visitor, now, replace(typed, revision=etag_of(now)), other=words.CONFLICT, status=409)
    except (InvalidInput, NameTaken, WrongState) as error:
        return _form_of(visitor, webhook, typed, refusal=error)
    return go(f"{visitor.link(paths.WEBHOOKS, told='saved')}#webhook-{webhook.id}")


def pressed(form: Form, typed: Typed) -> Typed | None:
    """Return what a button other than the last one makes of the form; none where it was the last one."""
    button = form.text(BUTTON)
    if button == SHOW:
        return typed
    if button == "generate":
        return replace(typed, secret=secrets.token_urlsafe(SECRET_BYTES))
    if button == "add-header":
        return replace(typed, headers=(*typed.headers, Header())[:MAX_HEADERS])
    number = button.removeprefix(_REMOVE)
    if button.startswith(_REMOVE) and number.isdecimal():
        return replace(typed, headers=tuple(one for row, one in enumerate(typed.headers, 1) if row != int(number[:3])))
    return None


async def _form_of_new(
    visitor: Visitor,
    typed: Typed,
    *,
    faults: Sequence[Fault] = (),
    refusal: InvalidInput | NameTaken | TooManyWebhooks | None = None,
) -> Response:
    rules = await visitor.rooms.webhooks.rules_of_create()
    more, other = _told(refusal)
    editing = editing_of(
        typed,
        [*faults, *more],
        version=max(rules.versions),
        action=visitor.link(paths.NEW_WEBHOOK),
        cancel=visitor.link(paths.WEBHOOKS),
        other=other,
    )
    return visitor.pages.page(
        "webhook_form.html",
        status=400 if editing.summary else 200,
        layout=webhooks_layout(visitor, words.NEW_TITLE),
        editing=editing,
    )


def _form_of(
    visitor: Visitor,
    webhook: Webhook,
    typed: Typed,
    *,
    faults: Sequence[Fault] = (),
    refusal: InvalidInput | NameTaken | WrongState | None = None,
    other: str = "",
    status: int = 400,
) -> Response:
    more, told = _told(refusal)
    editing = editing_of(
        typed,
        [*faults, *more],
        version=webhook.version,
        action=visitor.link(paths.webhook(str(webhook.id), "edit")),
        cancel=visitor.link(paths.WEBHOOKS),
        other=other or told,
    )
    return visitor.pages.page(
        "webhook_form.html",
        status=status if editing.summary else 200,
        layout=webhooks_layout(visitor, words.EDIT_TITLE.format(name=webhook.name)),
        editing=editing,
    )


def _told(refusal: InvalidInput | NameTaken | TooManyWebhooks | WrongState | None) -> tuple[Sequence[Fault], str]:
    """Return what a refusal says of fields, and what it says of none of them."""
    match refusal:
        case None:
            return (), ""
        case InvalidInput():
            return refusal.faults, ""
        case NameTaken():
            return [Fault("name", "is taken: another webhook of this workspace has it")], ""
        case TooManyWebhooks() | WrongState():
            title = (type(refusal).__doc__ or "").strip()
            return (), f"{title} {refusal.detail[:1].upper()}{refusal.detail[1:]}." if refusal.detail else title


def _found(error: ValidationError) -> list[Fault]:
    return faults_of(error.errors(include_url=False, include_input=False))
