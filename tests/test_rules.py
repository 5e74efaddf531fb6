"""docs/rules.md: every rule has its acceptance test, or says what it waits for; what is there is not waited for."""

from pathlib import Path

from tests.rules import PAGE, RULES, Awaited, Wait, page, proofs, troubles


def test_every_rule_is_proved_or_waits_for_something() -> None:
    assert troubles(proofs()) == []


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(proofs()), "run: python -m tests.rules"


def test_all_rules_of_the_specification_are_there() -> None:
    last = {"S": 8, "M": 5, "W": 4, "N": 18, "A": 12, "D": 20}
    assert list(RULES) == [f"{letter}{number}" for letter, to in last.items() for number in range(1, to + 1)]


def test_a_rule_without_a_test_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        'def test_S1_D2_two(): ...\nROWS = {"N1": 1, "N2 contact": 2}\nD3 = "D3 no row"\n'
    )
    found = proofs(tmp_path)
    assert {rule for rule, names in found.items() if names} == {"S1", "D2", "N1", "N2"}
    said = troubles(found, waits=())
    assert len(said) == len(RULES) - 4
    assert any(sentence.startswith("D3 has no acceptance test") for sentence in said)


def test_a_test_of_no_rule_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text("def test_D21_unknown(): ...\n")
    assert "There is no rule D21, which names a test: test_some: test_D21_unknown" in troubles(proofs(tmp_path))


def test_a_line_that_waits_for_what_is_there_is_trouble(tmp_path: Path) -> None:
    found = {rule: ["a test"] for rule in RULES}
    waits = (Wait("D9", "Exchange Online", Awaited("Graph", ("graph.py",))),)
    assert troubles(found, waits, tmp_path) == []
    (tmp_path / "graph.py").touch()
    assert troubles(found, waits, tmp_path) == [
        "D9 waits for Graph (Exchange Online), which is there now: test it, remove the line."
    ]
