"""The API credentials of a workspace."""

from fastapi import APIRouter, Request, Response

from services.api.access.guard import CallerHere, needs
from services.api.access.roles import Role
from services.api.bodies import documented_body, read_body
from services.api.credentials.schemas import CreatedCredential, CredentialCreate, CredentialView
from services.api.idempotency.ports import KeptAnswer
from services.api.idempotency.replies import IdempotencyKey, given_again
from services.api.ids import id_of
from services.api.paging import DEFAULT_PAGE_SIZE, Page, PageNumber, PageSize
from services.api.problems import documented
from services.api.refusals import NoSuchCredential
from services.api.rooms import RoomsHere

router = APIRouter(prefix="/v1/settings/api-credentials", tags=["access"])

_SUPER_ADMIN = needs(Role.SUPER_ADMIN)


@router.post(
    "",
    status_code=201,
    response_model=CreatedCredential,
    operation_id="createApiCredential",
    summary="Create an API credential",
    responses=documented(400, 401, 403, 409, 413, 415, 500, 503),
    openapi_extra={**documented_body(CredentialCreate), **_SUPER_ADMIN},
)
async def create_credential(
    request: Request,
    response: Response,
    caller: CallerHere,
    rooms: RoomsHere,
    idempotency_key: IdempotencyKey = None,
) -> CreatedCredential | Response:
    """Create a credential for this workspace and those below; the secret is shown in this answer only."""
    body = await read_body(request, CredentialCreate)
    async with rooms.idempotency.once(caller, idempotency_key, operation="createApiCredential", body=body) as once:
        if once.answer is not None:
            return given_again(once.answer)

        def keep(view: CreatedCredential) -> KeptAnswer:
            return once.keep(201, {}, view)

        created = await rooms.credentials.create(caller, body, keep=keep if once.is_kept else None)
    response.headers["Cache-Control"] = "no-store"
    return created


@router.get(
    "",
    operation_id="listApiCredentials",
    summary="List the API credentials of a workspace",
    responses=documented(400, 401, 403, 500, 503),
    openapi_extra=_SUPER_ADMIN,
)
async def list_credentials(
    caller: CallerHere, rooms: RoomsHere, page: PageNumber = 0, page_size: PageSize = DEFAULT_PAGE_SIZE
) -> Page[CredentialView]:
    """Return one page of the workspace's credentials, newest first; those revoked and expired too."""
    return await rooms.credentials.page(caller, page=page, page_size=page_size)


@router.delete(
    "/{credential_id}",
    status_code=204,
    response_class=Response,
    operation_id="revokeApiCredential",
    summary="Revoke an API credential",
    responses=documented(400, 401, 403, 404, 500, 503),
    openapi_extra=_SUPER_ADMIN,
)
async def revoke_credential(credential_id: str, caller: CallerHere, rooms: RoomsHere) -> None:
    """Put a credential out of force at once, the tokens that it got with it."""
    await rooms.credentials.revoke(caller, id_of(credential_id, NoSuchCredential))
