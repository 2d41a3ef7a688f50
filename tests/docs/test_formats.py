import re
from pathlib import Path

import pytest

from lineshaft.definition.convert import convert
from lineshaft.definition.dialect import Dialect
from lineshaft.definition.native.reader import read_native_document

TEXT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
EXAMPLES = re.findall(
    r"^```(?:yaml|json)\n(.*?)^```\n\nbecomes\n\n```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize(("written", "becomes"), EXAMPLES)
def test_every_example_becomes_what_the_page_says(written: str, becomes: str) -> None:
    assert convert(written.encode()).texts == (becomes,)
    assert read_native_document(becomes)


def test_every_dialect_has_examples_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z]+)` \|[^|]*\|[^|]*\|[^|]*\|$", TEXT, re.MULTILINE)
    assert documented == list(Dialect)
    told = {convert(written.encode()).dialect for written, _ in EXAMPLES}
    assert told == {dialect for dialect in Dialect if dialect is not Dialect.NATIVE}
