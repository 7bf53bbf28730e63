"""The stack in the order it lives: servers, helpers, schema and topics, services, demo; down in reverse."""

import socket
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from deploy.local import runfile
from deploy.local.broker import EmbeddedKafka
from deploy.local.commands import coro, run_module
from deploy.local.deliveries import Delivery, DeliveryLog
from deploy.local.errors import LocalError
from deploy.local.keys import Credential, Keys
from deploy.local.places import CHECKOUT, Places
from deploy.local.plan import SERVICES, Plan, settings_for_processes, settings_for_service
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.processes import Child, wait_until
from deploy.local.seed import ADMIN_EMAIL, CHILD_WORKSPACES, ROOT_WORKSPACE, Seeder

_HELPER_LIMIT_S = 30
_SERVICE_LIMIT_S = 60
_DELIVERY_LIMIT_S = 30
_PROBE_LIMIT_S = 2.0


class Stack:
    """Everything one `make run` starts."""

    def __init__(self, *, places: Places, plan: Plan, env: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.children: dict[str, Child] = {}
        self._places = places
        self._plan = plan
        self._given_env = env
        self._say = say
        self._keys = Keys(places.keys)
        self._env: dict[str, str] = {}

    def up(self) -> dict[str, Any]:
        """Start everything, show one delivery arrive, and return the facts of `run.json`.

        Raises:
            LocalError: something could not start; one sentence.
        """
        self._start_servers()
        self._start_helpers()
        run_module("coro_events.migrate", env=self._env)
        coro("topics", "create", env=self._env)
        self._say("schema is current, topics exist")
        for service in SERVICES:
            self._start_service(service)
        seeder = Seeder(self._env, self._keys, self._plan)
        seeder.workspaces_and_admin()
        seeder.credential()
        self._await_services()
        credential = seeder.webhook()
        self._say(f"demo: MSP {ROOT_WORKSPACE} with {' and '.join(CHILD_WORKSPACES)}, admin {ADMIN_EMAIL}")
        self._say(f"first event delivered: {self._show_delivery().line()}")
        facts = self._facts(credential)
        runfile.write_run_file(self._places, facts)
        return facts

    def down(self) -> None:
        """Stop everything, last started first."""
        for name in reversed(list(self.children)):
            self.children.pop(name).stop()
        runfile.forget_run(self._places)

    def check(self, wait_s: float) -> None:
        """Return after so many seconds, at once where a process ends.

        Raises:
            LocalError: a process ended; names it and its last line.
        """
        any_child = next(iter(self.children.values()))
        any_child.ends_within(wait_s)
        for child in self.children.values():
            if not child.running:
                raise LocalError(child.obituary())

    def _start_servers(self) -> None:
        plan, logs = self._plan, self._places.logs
        database_url, bootstrap = plan.given_database_url, plan.given_kafka_bootstrap
        postgres = kafka = None
        if database_url is None:
            postgres = EmbeddedPostgres(self._places.postgres, plan.postgres_port, log_file=logs / "postgres.log")
            postgres.launch()
            self._keep("postgres", postgres.child)
        if bootstrap is None:
            if not self._places.jars.exists():
                self._say("fetching Kafka from Maven Central (45 MB, once) ...")
            kafka = EmbeddedKafka(
                self._places.kafka,
                plan.kafka_port,
                plan.controller_port,
                log_file=logs / "kafka.log",
                jars_dir=self._places.jars,
            )
            kafka.launch()
            self._keep("kafka", kafka.child)
        if postgres is not None:
            postgres.await_ready()
            database_url = postgres.url()
            self._say(f"PostgreSQL on 127.0.0.1:{plan.postgres_port}")
        if kafka is not None:
            kafka.await_ready()
            bootstrap = kafka.bootstrap
            self._say(f"Kafka on {bootstrap}")
        self._env = settings_for_processes(
            self._given_env, plan, self._keys, database_url=database_url or "", kafka_bootstrap=bootstrap or ""
        )

    def _start_helpers(self) -> None:
        plan, places = self._plan, self._places
        mail = ("deploy.local.mail_sink", "--port", str(plan.smtp_port), "--dir", str(places.mails))
        self._start_module("mail", *mail, log_file=places.logs / "mail.log")
        self._start_module(
            "receiver",
            *("coro_events.cli.main", "receiver", "listen", "--host", "127.0.0.1"),
            *("--port", str(plan.receiver_port)),
            *("--secret-file", str(self._keys.receiver_secret_file), "--json"),
            log_file=places.log_of_receiver,
            errors_file=places.logs / "receiver.log",
        )
        for name, port in (("mail", plan.smtp_port), ("receiver", plan.receiver_port)):
            wait_until(
                partial(_connects, port),
                children=[*self.children.values()],
                limit_s=_HELPER_LIMIT_S,
                what=f"The start of {name}",
            )
        self._say(f"mail is kept in {places.mails}, demo receiver on {plan.receiver_url}")

    def _start_service(self, service: str) -> None:
        self._start_module(
            service,
            f"services.{service}",
            log_file=self._places.logs / f"{service}.log",
            env=settings_for_service(self._env, self._plan, service),
        )

    def _await_services(self) -> None:
        with httpx.Client(timeout=_PROBE_LIMIT_S) as client:
            for service in SERVICES:
                url = f"{self._plan.ops_url(service)}/readyz"
                wait_until(
                    partial(_is_ready, client, url),
                    children=[*self.children.values()],
                    limit_s=_SERVICE_LIMIT_S,
                    what=f"The start of {service} ({url})",
                )
        self._say(f"services are ready: {', '.join(SERVICES)}")

    def _show_delivery(self) -> Delivery:
        """Emit one event and wait until the demo receiver has it, signed."""
        log = DeliveryLog(self._places.log_of_receiver)
        coro("events", "emit", "workspace-created", "--workspace", CHILD_WORKSPACES[0], "--example", env=self._env)
        arrived: list[Delivery] = []

        def verified() -> bool:
            arrived.extend(one for one in log.new() if one.type == "workspace-created" and one.verified)
            return bool(arrived)

        wait_until(
            verified,
            children=[*self.children.values()],
            limit_s=_DELIVERY_LIMIT_S,
            what="The signed delivery of the first event",
        )
        return arrived[0]

    def _start_module(
        self,
        name: str,
        module: str,
        *arguments: str,
        log_file: Path,
        errors_file: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        child = Child(
            name=f"The {name}",
            command=[sys.executable, "-m", module, *arguments],
            log_file=log_file,
            errors_file=errors_file,
            env=env or self._env,
            cwd=CHECKOUT,
        )
        child.start()
        self._keep(name, child)

    def _keep(self, name: str, child: Child | None) -> None:
        if child is not None:
            self.children[name] = child
            runfile.note_children(self._places, self.children)

    def _facts(self, credential: Credential) -> dict[str, Any]:
        plan = self._plan
        return {
            "api_url": plan.api_url,
            "console_url": f"{plan.api_url}/portal/settings/connectors/webhooks",
            "receiver_url": plan.receiver_url,
            "kafka_bootstrap": self._env["CORO_KAFKA_BOOTSTRAP_SERVERS"],
            "database_url": self._env["CORO_DATABASE_URL"],
            "smtp": self._env["CORO_SMTP_URL"],
            "mail_dir": str(self._places.mails),
            "admin_email": ADMIN_EMAIL,
            "admin_password": self._keys.admin_password_file.read_text(encoding="utf-8"),
            "client_id": credential.client_id,
            "client_secret": credential.client_secret,
            "root_workspace": ROOT_WORKSPACE,
            "child_workspaces": list(CHILD_WORKSPACES),
            "pids": {name: child.pid for name, child in self.children.items()},
            "ops_urls": {service: plan.ops_url(service) for service in SERVICES},
        }


def _connects(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PROBE_LIMIT_S):
            return True
    except OSError:
        return False


def _is_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.HTTPError:
        return False
