"""Several workers on one pair of servers: who starts them, and which tests stay together."""

from contextlib import ExitStack
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from deploy.local.servers import DATABASE_SETTING, KAFKA_SETTING, StartingServers, starting_servers

# Folders whose tests share what is dear to start; elsewhere a file stays together.
TOGETHER = ("tests/end_to_end/", "tests/faults/")
WORKER_INPUT = "coro_servers"


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out whole files, and folders whose tests share a stack, in the order they were collected in."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        shared = (folder for folder in TOGETHER if nodeid.startswith(folder))
        return next(shared, nodeid.split("::", 1)[0])


class SharedServers:
    """The servers of a run with several workers, started by the process that hands the tests out."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given
        self._servers: StartingServers | None = None
        self._stack = ExitStack()

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self, session: pytest.Session) -> Any:
        """Launch them, let the workers start meanwhile, and wait: no test is handed out before."""
        if session.config.option.collectonly:
            return (yield)
        session.config.add_cleanup(self._stack.close)
        self._servers = self._stack.enter_context(starting_servers(self._given))
        result = yield
        self._servers.await_ready()
        return result

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where they are."""
        if self._servers is not None:
            where = self._servers.where
            addresses = {DATABASE_SETTING: where.database_admin_url, KAFKA_SETTING: where.kafka_bootstrap}
            node.workerinput[WORKER_INPUT] = self._given | addresses

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> ByFile:
        """Keep together what shares fixtures."""
        return ByFile(config, log)


def told_by_the_run(config: pytest.Config) -> dict[str, str]:
    """Return the settings that a worker was started with; none in a run without workers."""
    told: dict[str, str] = getattr(config, "workerinput", {}).get(WORKER_INPUT, {})
    return told
