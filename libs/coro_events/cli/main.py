"""The `coro` command; a new group of commands is a file and a line here."""

import logging

import typer

from coro_events.cli import credentials, events, receiver, topics, users, versions, workspaces
from coro_events.cli.told import TellingGroup

app = typer.Typer(
    cls=TellingGroup,
    help="Coro Webhooks: emit events, receive deliveries, look after topics, workspaces, versions and who may sign in.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(events.app, name="events")
app.add_typer(receiver.app, name="receiver")
app.add_typer(topics.app, name="topics")
app.add_typer(workspaces.app, name="workspaces")
app.add_typer(versions.app, name="versions")
app.add_typer(credentials.app, name="credentials")
app.add_typer(users.app, name="users")


@app.callback()
def _quiet() -> None:
    # The client tells of every attempt to connect; the command tells once, at the end.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


if __name__ == "__main__":
    app(prog_name="coro")
