"""A lease with secrets shows them to nobody who prints it, or an error about it."""

import json
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from lineshaft.wire.worker import LeaseMessage, LeasesAnswer
from worker_tasks import lease_of

VALUE = "correct-horse-battery"
SECRETS: dict[str, Any] = {"secret_values": {"TOKEN": VALUE}, "id_tokens": {"CLOUD": VALUE}}


def test_a_lease_tells_its_secrets_to_the_worker_alone() -> None:
    lease = lease_of("true", **SECRETS)
    assert VALUE not in f"{lease} {lease!r} {LeasesAnswer(leases=(lease,))!r}"
    assert LeaseMessage.model_validate_json(lease.model_dump_json()) == lease


@pytest.mark.parametrize("wrong", [{"work": {"kind": "no such"}}, {"path": 7}, {"address": None}])
def test_an_answer_that_cannot_be_read_is_not_repeated(wrong: dict[str, Any]) -> None:
    said = json.loads(lease_of("true", **SECRETS).model_dump_json()) | wrong
    with pytest.raises(ValidationError) as caught:
        LeasesAnswer.model_validate_json(json.dumps({"leases": [said]}))
    assert VALUE not in str(caught.value)


def test_a_lease_without_its_token_is_not_repeated() -> None:
    said = {"pipeline_id": str(UUID(int=1)), **SECRETS}
    with pytest.raises(ValidationError) as caught:
        LeaseMessage.model_validate(said)
    assert VALUE not in str(caught.value)
