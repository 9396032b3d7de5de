"""What the routes of the API share: how they refuse, and who may write.

Annotations are not deferred here: FastAPI could not resolve those that name what a function made.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.desk import register
from services.desk.store import Store
from services.desk.views import Problem

Holder = Callable[..., str | None]


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of this shape that a route can give, besides those that any can: the guard's and a database away."""
    return {status: {"model": Problem} for status in (400, 401, 408, 413, 429, 503, *statuses)}


def holder(store: Store) -> Holder:
    """A dependency: the name whose bearer token came with the request; None without one that is known."""
    bearer = HTTPBearer(auto_error=False, description="A token made by `demarche token NAME`")

    def name(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str | None:
        return None if credentials is None else register.token_name(store, credentials.credentials)

    return name


def writer(known: Holder) -> Callable[..., str]:
    """A dependency: the name of who writes; 401 for anybody else."""

    def name(given: Annotated[str | None, Depends(known)]) -> str:
        # Only a bearer's token: a browser sends a password by itself, also for a page of somebody else.
        if given is None:
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
        return given

    return name
