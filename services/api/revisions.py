"""The header that names the revision a change was made from."""

from typing import Annotated

from fastapi import Header

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag that the change was made from; 412 if it is outdated.")
]
