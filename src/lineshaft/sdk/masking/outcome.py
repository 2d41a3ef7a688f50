"""How an attempt ended, without its secrets."""

from dataclasses import replace

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
    )
