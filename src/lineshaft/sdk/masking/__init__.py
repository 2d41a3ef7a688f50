"""Masking: nothing secret leaves a worker.

`Masking` knows the secrets of one attempt, `MaskedLog` is the way of all that goes into its log, and
`masked_outcome` that of how it ended.
"""

from lineshaft.sdk.masking.log import MaskedLog
from lineshaft.sdk.masking.masking import Masking
from lineshaft.sdk.masking.outcome import masked_outcome

__all__ = ["MaskedLog", "Masking", "masked_outcome"]
