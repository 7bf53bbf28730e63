"""The web application, made once and given the rooms of one test after the other: making it outlasts most tests."""

from fastapi import FastAPI

from services.api.app import make_web
from services.api.rooms import Rooms


class Webs:
    """Applications by what else is decided when one is made: whether its cookies go over HTTPS alone."""

    def __init__(self) -> None:
        self._made: dict[bool, FastAPI] = {}

    def serving(self, rooms: Rooms) -> FastAPI:
        """Return an application that answers by these rooms, until the next call."""
        secure = rooms.front.cookies.secure
        web = self._made.get(secure)
        if web is None:
            web = self._made[secure] = make_web(rooms)
        mounted = [found for route in web.routes if isinstance(found := getattr(route, "app", None), FastAPI)]
        for app in (web, *mounted):
            app.state.rooms = rooms
        return web
