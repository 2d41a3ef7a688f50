from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineshaft.integrations.forges.payload import content_of
from lineshaft.model.errors import InvalidInputError
from lineshaft.ports.forge import Webhook

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@given(content=st.binary(max_size=200), plus=st.booleans(), more=st.sampled_from(["", "=&+%"]))
@example(content=b"a=\r\nb==c=3D__ \t\n", plus=True, more="")
def test_a_field_of_a_form_is_what_was_put_into_it(content: bytes, *, plus: bool, more: str) -> None:
    spelled = quote_plus(content) if plus else quote(content, safe="")
    body = f"first=1&payload={spelled}&last={quote(more)}".encode()
    assert content_of(Webhook(FORM, body)) == content


@given(st.binary(max_size=100))
def test_a_field_of_any_bytes_is_read(body: bytes) -> None:
    assert len(content_of(Webhook(FORM, b"payload=" + body))) <= len(body)


def test_a_field_behind_many_others_is_not_looked_for() -> None:
    with pytest.raises(InvalidInputError):
        content_of(Webhook(FORM, b"a=1&" * 16 + b"payload={}"))


def test_what_is_no_form_is_the_body_itself() -> None:
    assert content_of(Webhook({"content-type": "application/json"}, b"payload=1")) == b"payload=1"
    assert content_of(Webhook({}, b"payload=1")) == b"payload=1"
