"""What a person may say in place of a database, and how a mistake in it is named."""

from pathlib import Path

import pytest

from services.classifier.facts_of_files.context import BadContext, load_context


@pytest.mark.parametrize(
    ("context", "complaint"),
    [
        ("markers: x", "markers is not known here; known are marker, numbers"),
        ("contacts: [{name: Jan}]", "contacts.0.address: Field required"),
        ("contacts: [{address: a@b.nl, mail: x}]", "contacts.0.mail is not known here; known are name, address"),
        ("number_pattern: '['", "number_pattern: this is not a regular expression"),
        ("- marker", "a mapping of marker, numbers"),
        ("a: [", "is no YAML"),
    ],
    ids=["field", "address", "field of a person", "pattern", "list", "no YAML"],
)
def test_a_wrong_context_is_refused(tmp_path: Path, context: str, complaint: str) -> None:
    (tmp_path / "wrong.yml").write_text(context, encoding="utf-8")
    with pytest.raises(BadContext) as wrong:
        load_context(tmp_path / "wrong.yml")
    assert complaint in str(wrong.value)
