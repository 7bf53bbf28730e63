"""Generated files: written once, found stale, and left alone when current."""

from pathlib import Path

import pytest

from deploy import generate


def test_the_files_in_the_repository_are_current() -> None:
    texts = generate.generated()
    assert generate.stale(texts, generate.ROOT) == []
    assert generate.forgotten_pages(texts, generate.ROOT) == []


def test_a_second_writing_changes_nothing(tmp_path: Path) -> None:
    assert generate.main([], root=tmp_path) == 0
    assert generate.write(generate.generated(), tmp_path) == []
    assert generate.main(["--check"], root=tmp_path) == 0


def test_the_check_names_the_file_when_it_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate.main([], root=tmp_path)
    (tmp_path / "docs/asyncapi.json").write_text("{}", encoding="utf-8")
    (tmp_path / "docs/schemas/v1/test.json").unlink()
    capsys.readouterr()
    assert generate.main(["--check"], root=tmp_path) == 1
    told = capsys.readouterr().err
    assert "docs/asyncapi.json is stale" in told
    assert "docs/schemas/v1/test.json is stale" in told


def test_a_left_over_file_is_stale_and_then_removed(tmp_path: Path) -> None:
    generate.main([], root=tmp_path)
    left_over = tmp_path / "docs/schemas/events/gone.json"
    left_over.write_text("{}", encoding="utf-8")
    assert generate.stale(generate.generated(), tmp_path) == ["docs/schemas/events/gone.json"]
    generate.main([], root=tmp_path)
    assert not left_over.exists()


def test_only_the_part_between_the_marks_is_replaced(tmp_path: Path) -> None:
    text = "before\n<!-- generated: table -->\nold\n<!-- end: table -->\nafter\n"
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    replaced = generate.in_section("page.md", "table", "new\n", root=tmp_path)
    assert replaced == text.replace("old", "new")
    with pytest.raises(ValueError, match=r"page\.md lacks the marks of the section other"):
        generate.in_section("page.md", "other", "new", root=tmp_path)


def test_a_section_is_refused_when_nobody_generates_it(tmp_path: Path) -> None:
    text = "".join(f"<!-- generated: {name} -->\nold\n<!-- end: {name} -->\n" for name in ("one", "the other"))
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md has sections that nobody generates: the other"):
        generate.in_section("page.md", "one", "new", root=tmp_path)
    assert generate.in_sections("page.md", {"one": "old", "the other": "old"}, root=tmp_path) == text


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_a_page_with_marks_is_told_and_kept_when_it_has_no_generator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    generate.main([], root=tmp_path)
    page = tmp_path / "docs/left.md"
    page.write_text("<!-- generated: gone -->\nold\n<!-- end: gone -->\n", encoding="utf-8")
    capsys.readouterr()
    assert generate.main(arguments, root=tmp_path) == 1
    assert "docs/left.md has a generated part that nobody generates" in capsys.readouterr().err
    assert page.exists()
