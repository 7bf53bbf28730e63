"""`coro receiver`: receive deliveries while developing, and verify one by hand."""

import asyncio
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from coro_events.cli.receiving import Received, Receiver
from coro_events.cli.told import USAGE, Refused, answer, new_group, say, text_of
from coro_events.cli.verify import is_coro_signature, is_standard_signature
from coro_events.runtime.clock import SystemClock

app = new_group("The receiving side, for development and for proof.")

SecretFile = Annotated[Path | None, typer.Option(help="A file with the webhook's secret; one final line feed is cut.")]


@app.command()
def listen(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 9000,
    secret: Annotated[str | None, typer.Option(help="The webhook's secret; --secret-file keeps it out of ps.")] = None,
    secret_file: SecretFile = None,
    status: Annotated[int, typer.Option(min=200, max=599, help="Answer with this code.")] = 200,
    delay_s: Annotated[float, typer.Option("--delay-s", min=0, help="Wait so long before the answer.")] = 0,
    body: Annotated[bool, typer.Option("--body", help="Show the bodies too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON a delivery.")] = False,
) -> None:
    """Print and verify what arrives, until Ctrl-C."""
    if secret is not None and secret_file is not None:
        raise Refused("give --secret or --secret-file, not both", code=USAGE)
    receiver = Receiver(
        secret=_secret(secret_file) if secret_file is not None else secret,
        status=status,
        delay_s=delay_s,
        keep_body=body,
        clock=SystemClock(),
        report=_report_json if as_json else _report,
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=2048) as listening:
        shown = f"[{host}]" if family is socket.AF_INET6 else host
        typer.echo(f"Listening on http://{shown}:{listening.getsockname()[1]}", err=True)
        config = uvicorn.Config(
            receiver, lifespan="off", log_level="error", access_log=False, server_header=False, timeout_keep_alive=75
        )
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


def _report_json(received: Received) -> None:
    answer(received.as_document())


def _report(received: Received) -> None:
    verdict = {True: "verified", False: "NOT VERIFIED", None: "not checked"}[received.verified]
    why = f" ({'; '.join(received.faults)})" if received.faults else ""
    say(
        f"{received.received_at}  {received.type}  {received.workspace_id}  {received.hook_id}"
        f"  attempt {received.attempt}  {verdict}{why}  -> {received.status}"
    )
    if received.body is not None:
        answer(received.body)


@app.command()
def verify(
    *,
    secret_file: Annotated[Path, typer.Option(help="A file with the webhook's secret; one final line feed is cut.")],
    hook_id: Annotated[str, typer.Option("--id", help="X-Coro-Hook-Id.")],
    signature: Annotated[str, typer.Option(help="X-Coro-Signature.")],
    timestamp: Annotated[str | None, typer.Option(help="webhook-timestamp.")] = None,
    body_file: Annotated[Path | None, typer.Option(help="A file with the raw body.")] = None,
    webhook_signature: Annotated[str | None, typer.Option(help="webhook-signature.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Verify the signatures of one delivery; exit with 1 if one is wrong."""
    secret = _secret(secret_file)
    results = {"X-Coro-Signature": is_coro_signature(signature, hook_id, secret)}
    standard = (timestamp, body_file, webhook_signature)
    if timestamp is not None and body_file is not None and webhook_signature is not None:
        results["webhook-signature"] = is_standard_signature(
            webhook_signature, hook_id, timestamp, body_file.read_bytes(), secret
        )
    elif any(part is not None for part in standard):
        raise Refused("--timestamp, --body-file and --webhook-signature go together", code=USAGE)
    if as_json:
        answer({"verified": all(results.values()), "signatures": results})
    else:
        for name, right in results.items():
            say(f"{name} {'is right' if right else 'DOES NOT MATCH'}")
    if not all(results.values()):
        raise typer.Exit(1)


def _secret(file: Path) -> str:
    secret = text_of(file)
    if not secret:
        raise Refused(f"{file} holds no secret")
    return secret
