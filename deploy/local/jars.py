"""Fetches Kafka's jars from Maven Central once and lets no other jar than the locked ones run."""

import argparse
import fcntl
import hashlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jgo.maven import MavenContext

from deploy.local.errors import LocalError
from deploy.local.places import Places

# "!": a coordinate's own version table must not change the versions its neighbours ask for.
# The binding matches the slf4j (1.7) and log4j2 versions that Kafka brings.
COORDINATES = (
    "org.apache.kafka:kafka_2.13:4.3.1!",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!",
)
LOCK_FILE = Path(__file__).with_name("jars.sha256")
_HTTP_LIMIT_S = 60


def locked_jars(jars_dir: Path, *, lock_file: Path = LOCK_FILE) -> Path:
    """Return the folder with exactly the locked jars, fetching them the first time.

    Raises:
        LocalError: the download failed, or a jar differs from the lock, is missing or is extra; names it.
    """
    lock = read_lock(lock_file)
    with _only_one_at_a_time(jars_dir):
        if not jars_dir.exists():
            draft = _fetch(jars_dir)
            verify(draft, lock)
            draft.rename(jars_dir)
    verify(jars_dir, lock)
    return jars_dir


def read_lock(lock_file: Path) -> dict[str, str]:
    """Return SHA-256 by jar file name.

    Raises:
        LocalError: the file is missing or a line is not `checksum  name`.
    """
    try:
        lines = lock_file.read_text(encoding="utf-8").splitlines()
        return {name: checksum for checksum, name in (line.split() for line in lines)}
    except (OSError, ValueError) as error:
        raise LocalError(f"The jar lock {lock_file.name} cannot be read ({error}); run `make lock-jars`.") from error


def verify(jars_dir: Path, lock: Mapping[str, str]) -> None:
    """Hold the jars of a folder against the lock.

    Raises:
        LocalError: a jar differs, is missing or is extra; names the first one.
    """
    found = {path.name: path for path in sorted(jars_dir.glob("*.jar"))}
    advice = f"remove {jars_dir} to fetch them again, or run `make lock-jars` if the change is meant"
    for name in lock:
        if name not in found:
            raise LocalError(f"Kafka's jar {name} is missing; {advice}.")
    for name, path in found.items():
        if name not in lock:
            raise LocalError(f"Kafka's jar {name} is not in {LOCK_FILE.name}; {advice}.")
        if _sha256(path) != lock[name]:
            raise LocalError(f"Kafka's jar {name} differs from its checksum in {LOCK_FILE.name}; {advice}.")


def write_lock(jars_dir: Path, *, lock_file: Path = LOCK_FILE) -> int:
    """Resolve and fetch the jars anew, write their checksums, and return how many there are.

    Raises:
        LocalError: the download failed.
    """
    with _only_one_at_a_time(jars_dir):
        draft = _fetch(jars_dir)
        jars = sorted(draft.glob("*.jar"))
        lock_file.write_text("".join(f"{_sha256(jar)}  {jar.name}\n" for jar in jars), encoding="utf-8")
        shutil.rmtree(jars_dir, ignore_errors=True)
        draft.rename(jars_dir)
    return len(jars)


def _fetch(jars_dir: Path) -> Path:
    """Download into a folder beside the final one and return it."""
    draft = jars_dir.with_name(f"{jars_dir.name}.new")
    repository = jars_dir.with_name("maven.new")
    for folder in (draft, repository):
        shutil.rmtree(folder, ignore_errors=True)
    draft.mkdir(parents=True)
    context = MavenContext(repo_cache=repository, local_repos=[], timeout=_HTTP_LIMIT_S)
    try:
        asked, brought = context.resolver.resolve([context.create_dependency(text) for text in COORDINATES])
        for dependency in (*asked, *(one for one in brought if one.scope in {"compile", "runtime"})):
            jar = Path(dependency.artifact.resolve())
            jar.rename(draft / jar.name)
    except (OSError, RuntimeError, ValueError) as error:
        cause = str(error).split("\n", maxsplit=1)[0]
        raise LocalError(f"Kafka's jars could not be downloaded from Maven Central: {cause}") from error
    shutil.rmtree(repository, ignore_errors=True)
    return draft


@contextmanager
def _only_one_at_a_time(jars_dir: Path) -> Iterator[None]:
    jars_dir.parent.mkdir(parents=True, exist_ok=True)
    with jars_dir.with_name(f"{jars_dir.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main() -> int:
    """Fetch the jars into the cache; with --lock, accept what Maven Central gives as the new lock."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.jars", description=main.__doc__)
    parser.add_argument("--lock", action="store_true", help=f"write {LOCK_FILE.name} anew")
    jars_dir = Places().jars
    try:
        if parser.parse_args().lock:
            sys.stdout.write(f"{write_lock(jars_dir)} jars locked.\n")
        else:
            sys.stdout.write(f"{locked_jars(jars_dir)}\n")
    except LocalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
