"""The public face: true, sorted, and cheap to import."""

import ast
import subprocess
import sys
from pathlib import Path

import coro_events

# What an internal service installs: pydantic and what pydantic needs.
ALLOWED = {"annotated_types", "coro_events", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}

_IMPORT_WITHOUT_OTHERS = """
import sys

allowed = set(sys.argv[1].split(","))


class OnlyAllowed:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        # `_sysconfigdata_…` is the standard library's too, under a name of the platform.
        if root in allowed or root.startswith("_sysconfigdata") or root in sys.stdlib_module_names:
            return None
        raise ModuleNotFoundError(name)


sys.meta_path.insert(0, OnlyAllowed())
import coro_events

assert coro_events.Trigger("workspace-created")
roots = {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}
assert not roots & {"aiokafka", "sqlalchemy", "tenacity"}, roots
"""


def test_the_list_equals_the_imported_names() -> None:
    # That it is sorted, constants first, is the linter's (RUF022).
    tree = ast.parse(Path(coro_events.__file__).read_text(encoding="utf-8"))
    imported = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(coro_events.__all__) == sorted(imported)
    assert all(hasattr(coro_events, name) for name in coro_events.__all__)


def test_importing_needs_pydantic_alone() -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", _IMPORT_WITHOUT_OTHERS, ",".join(sorted(ALLOWED))],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
