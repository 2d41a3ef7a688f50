"""Performing: an attempt's lease becomes its outcome."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Final

from lineshaft.model.errors import StaleLeaseError
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import kind_of
from lineshaft.sdk.agent.driver import Assignment, Driver
from lineshaft.sdk.agent.held import Held
from lineshaft.sdk.agent.log_upload import LogUpload
from lineshaft.sdk.agent.patience import Patience
from lineshaft.sdk.agent.patient_files import PatientFiles
from lineshaft.sdk.masking import MaskedLog, Masking, masked_outcome
from lineshaft.sdk.worker_files import WorkerFiles
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.telemetry.withholding import withholding
from lineshaft.wire.worker import LeaseMessage, SourceReport

_LOG: Final = logging.getLogger("lineshaft.worker")


async def perform(
    held: Held,
    drivers: Mapping[str, Driver],
    protocol: WorkerProtocol,
    *,
    files: WorkerFiles,
    patience: Patience,
    worker: str,
) -> Outcome:
    """Have an attempt done, and all of its log sent. Its secrets are in nothing that leaves by here.

    Args:
        held: the attempt; it is dropped when its lease turns out to be dead.
        drivers: who does which kind of work.
        protocol: where source and log go.
        files: where files are kept.
        patience: repeats calls while the server is away.
        worker: the worker's name.
    """
    lease = held.lease
    upload = LogUpload(protocol, patience, lease.address, lease.token)
    masking = Masking()
    log = MaskedLog(upload, masking)

    async def resolve_source(commit: str) -> str:
        report = SourceReport(address=lease.address, token=lease.token, commit=commit)
        return (await patience.until_available(partial(protocol.resolve_source, report))).commit

    with withholding(masking.mask_text):
        try:
            await masking.learn({**lease.secret_values, **lease.id_tokens, **_of_login(lease)})
            driver = drivers[kind_of(lease.work.to_model())]
            kept = PatientFiles(files, patience)
            outcome = await driver.perform(Assignment(lease, log, held.stop, resolve_source, masking, kept))
        except StaleLeaseError:
            held.drop()
            outcome = Outcome(State.CANCELLED)
        except Exception as error:  # noqa: BLE001 - a driver's fault ends its attempt, not the worker.
            _LOG.exception("The driver of '%s' failed.", lease.work.kind)
            text = f"The worker failed: {type(error).__name__}. Its log on '{worker}' tells more."
            outcome = Outcome(State.FAILED, Reason(ReasonCode.WORKER_ERROR, text))
        await log.finish()
        await upload.finish()
        return masked_outcome(outcome, masking.masker)


def _of_login(lease: LeaseMessage) -> Mapping[str, str]:
    return {} if lease.source_login is None else {"the source's login": lease.source_login.password}
