"""The repository keeps the rules of the house."""

import pytest

from tests.architecture import calls, imports, sizes, texts
from tests.architecture.sources import Rule, python_sources, report, repository_files
from tests.architecture.sources import texts as all_texts

PYTHON_RULES: tuple[Rule, ...] = (
    imports.places,
    imports.diets,
    sizes.file_size,
    sizes.function_size,
    calls.commits,
    calls.sleeping_tests,
    calls.dotted_patches,
    texts.package_files,
)
TEXT_RULES: tuple[Rule, ...] = (texts.registry_hosts, texts.machine_paths)


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_every_python_file_keeps_the_rule(rule: Rule) -> None:
    sources = list(python_sources())
    assert sources, "no file was found to look at"
    findings = [finding for source in sources for finding in rule(source)]
    assert not findings, f"{rule.__doc__}\n{report(findings)}"


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    findings = [finding for source in all_texts() for finding in rule(source)]
    assert not findings, f"{rule.__doc__}\n{report(findings)}"


def test_every_folder_tells_its_job() -> None:
    findings = list(texts.packages(repository_files()))
    assert not findings, report(findings)
