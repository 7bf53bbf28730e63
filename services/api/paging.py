"""Pages of lists: items and totalElements."""

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

# Bounded, so that the offset stays within what PostgreSQL counts.
PageNumber = Annotated[int, Query(ge=0, le=1_000_000, description="Which page, from 0.")]
PageSize = Annotated[int, Query(alias="pageSize", ge=1, le=MAX_PAGE_SIZE, description="How many items a page.")]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    totalElements: int = Field(description="How many there are on all pages.")  # noqa: N815 - published name
