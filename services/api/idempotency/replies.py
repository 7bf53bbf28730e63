"""The header that carries an idempotency key, and the answer that is given again."""

from typing import Annotated

from fastapi import Header, Response

from services.api.idempotency.service import HEADER, MAX_KEY_CHARACTERS, Answer

REPLAYED_HEADER = "Idempotent-Replayed"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=HEADER,
        description=(
            "Any text of the caller's choice. The same request with the same key is done once; for 24 hours, a repeat "
            f"gets the first answer. At most {MAX_KEY_CHARACTERS} printable ASCII characters."
        ),
    ),
]


def given_again(answer: Answer) -> Response:
    """Return an answer as it was given before, marked as such."""
    headers = {**answer.headers, REPLAYED_HEADER: "true", "Cache-Control": "no-store"}
    return Response(answer.body, status_code=answer.status, headers=headers, media_type="application/json")
