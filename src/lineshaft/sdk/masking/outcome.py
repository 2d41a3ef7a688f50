"""How an attempt ended, without its secrets."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.masking.masker import Masker


def masked_outcome(outcome: Outcome, masker: Masker) -> Outcome:
    """Mask all that an outcome tells.

    Generated nodes are refused when there is a secret in them: without it they would mean something else.
    """
    if not masker:
        return outcome
    if outcome.generated is not None and masker.mask_text(outcome.generated) != outcome.generated:
        text = (
            "The nodes that the task has generated hold a secret, which everybody who sees the run can read. "
            "Let the nodes name the secret under `secrets` instead."
        )
        return replace(
            outcome,
            state=State.FAILED,
            reason=Reason(ReasonCode.GENERATED_NODES_REFUSED, text),
            outputs={},
            generated=None,
        )
    reason = outcome.reason
    return replace(
        outcome,
        reason=None if reason is None else replace(reason, text=masker.mask_text(reason.text)),
        outputs={masker.mask_text(name): masker.mask_text(value) for name, value in outcome.outputs.items()},
        result=None if outcome.result is None else _masked_result(outcome.result, masker),
    )


def _masked_result(result: DriverResult, masker: Masker) -> DriverResult:
    data = {masker.mask_text(name): _masked_value(value, masker) for name, value in result.data.items()}
    return replace(result, message=masker.mask_text(result.message), data=data)


def _masked_value(value: Any, masker: Masker) -> Any:
    """Mask a JSON value; a number in which there is a secret becomes a text."""
    match value:
        case str():
            return masker.mask_text(value)
        case Mapping():
            return {masker.mask_text(name): _masked_value(each, masker) for name, each in value.items()}
        case list() | tuple():
            return [_masked_value(each, masker) for each in value]
        case _:
            text = json.dumps(value)
            masked = masker.mask_text(text)
            return value if masked == text else masked
