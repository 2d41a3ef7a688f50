"""Every error that Lineshaft raises on purpose.

LineshaftError
├── InvalidInputError            the caller's input does not make sense
│   ├── InvalidDefinitionError   a pipeline definition, with every problem in it
│   ├── PipelineUnnamedError     a call does not say which pipeline it is for
│   ├── InputTooLargeError
│   ├── ArchiveRefusedError      an archive holds what must not be unpacked
│   ├── ExpressionError          an expression cannot be read, or not be evaluated
│   ├── SchemaRefusedError       a schema of resources cannot be used
│   ├── SpecMisfitError          a resource does not fit its type
│   └── UnsupportedProtocolError a worker speaks a version that the server does not
├── NotFoundError
│   ├── PipelineNotFoundError
│   ├── RunNotFoundError
│   ├── NodeNotFoundError
│   ├── LogRemovedError          a log that was there, and is too old to be kept
│   ├── ArtifactNotFoundError
│   │   └── ArtifactExpiredError an artifact that was there, and whose time is over
│   ├── WorkerNotFoundError
│   ├── ConnectionNotFoundError
│   ├── DeliveryNotFoundError    it was never there, or is too old to be kept
│   ├── ResourceNotFoundError
│   ├── DriverNotFoundError
│   └── SecretMissingError       secrets that tasks name are nowhere
├── ConflictError                the state of things does not allow it
│   ├── RunEndedError
│   ├── RunNotEndedError
│   ├── NotWaitingError          nothing of that commit waits for approval
│   ├── VersionMismatchError     somebody else has changed it in between
│   ├── PipelineManagedError     the server, or its file of pipelines, keeps it
│   ├── StaleLeaseError          a write that carries no living lease's token
│   └── LogOffsetError           a log append that does not begin where the log ends
├── AccessError
│   ├── BadCredentialsError
│   │   ├── BadSignatureError    a webhook that nobody we know has signed
│   │   └── BadWorkerKeyError
│   ├── TooManyAttemptsError     too many wrong credentials from there, or for that name
│   ├── SignInRefusedError       the sign-in provider says no, or its answer is not to be trusted
│   └── ForbiddenError
├── SourceError                  a run's source cannot be had
│   ├── SourceRefusedError       the settings do not allow it, or it has no such commit
│   ├── SourceUnreachableError   it does not answer
│   └── MergeConflictError       a pull request cannot be merged without a person
├── ForgeError                   a forge does not take what it is told
│   ├── ForgeRefusedError        it never will
│   └── ForgeUnreachableError    it does not answer
│       └── ForgeBusyError       it wants no more calls for a while
├── MailError                    a mail cannot be handed over
│   ├── MailRefusedError         the mail server will never take it
│   └── MailUnreachableError     it does not answer, or takes nothing now
├── UnavailableError             something we need does not answer; trying again later may help
│   ├── StoreUnavailableError
│   ├── SecretsUnavailableError  the keeper of secrets does not answer, or not with what can be read
│   └── ServerUnreachableError
├── ConfigurationError           Lineshaft cannot start as it is set up
└── ServerError                  a server's answer that fits none of the above
    ├── CorruptRunError          what is stored of a run makes no sense
    └── OtherContentError        what came of kept files are other bytes than were kept

A step that fails is an outcome (`model.outcome`), never an error: these are for when *we* cannot go on.
"""

from lineshaft.model.errors.access import (
    AccessError,
    BadCredentialsError,
    BadSignatureError,
    BadWorkerKeyError,
    ForbiddenError,
    SignInRefusedError,
    TooManyAttemptsError,
)
from lineshaft.model.errors.conflict import (
    ConflictError,
    LogOffsetError,
    NotWaitingError,
    PipelineManagedError,
    RunEndedError,
    RunNotEndedError,
    StaleLeaseError,
    VersionMismatchError,
)
from lineshaft.model.errors.content import OtherContentError
from lineshaft.model.errors.forge import (
    ForgeBusyError,
    ForgeError,
    ForgeRefusedError,
    ForgeUnreachableError,
)
from lineshaft.model.errors.input import (
    ArchiveRefusedError,
    ExpressionError,
    InputTooLargeError,
    InvalidDefinitionError,
    InvalidInputError,
    PipelineUnnamedError,
    SchemaRefusedError,
    SpecMisfitError,
    UnsupportedProtocolError,
)
from lineshaft.model.errors.mail import MailError, MailRefusedError, MailUnreachableError
from lineshaft.model.errors.missing import (
    ArtifactExpiredError,
    ArtifactNotFoundError,
    ConnectionNotFoundError,
    DeliveryNotFoundError,
    DriverNotFoundError,
    LogRemovedError,
    NodeNotFoundError,
    NotFoundError,
    PipelineNotFoundError,
    ResourceNotFoundError,
    RunNotFoundError,
    SecretMissingError,
    WorkerNotFoundError,
)
from lineshaft.model.errors.problem import Problem
from lineshaft.model.errors.root import LineshaftError
from lineshaft.model.errors.surroundings import (
    ConfigurationError,
    CorruptRunError,
    MergeConflictError,
    SecretsUnavailableError,
    ServerError,
    ServerUnreachableError,
    SourceError,
    SourceRefusedError,
    SourceUnreachableError,
    StoreUnavailableError,
    UnavailableError,
)

__all__ = [
    "AccessError",
    "ArchiveRefusedError",
    "ArtifactExpiredError",
    "ArtifactNotFoundError",
    "BadCredentialsError",
    "BadSignatureError",
    "BadWorkerKeyError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionNotFoundError",
    "CorruptRunError",
    "DeliveryNotFoundError",
    "DriverNotFoundError",
    "ExpressionError",
    "ForbiddenError",
    "ForgeBusyError",
    "ForgeError",
    "ForgeRefusedError",
    "ForgeUnreachableError",
    "InputTooLargeError",
    "InvalidDefinitionError",
    "InvalidInputError",
    "LineshaftError",
    "LogOffsetError",
    "LogRemovedError",
    "MailError",
    "MailRefusedError",
    "MailUnreachableError",
    "MergeConflictError",
    "NodeNotFoundError",
    "NotFoundError",
    "NotWaitingError",
    "OtherContentError",
    "PipelineManagedError",
    "PipelineNotFoundError",
    "PipelineUnnamedError",
    "Problem",
    "ResourceNotFoundError",
    "RunEndedError",
    "RunNotEndedError",
    "RunNotFoundError",
    "SchemaRefusedError",
    "SecretMissingError",
    "SecretsUnavailableError",
    "ServerError",
    "ServerUnreachableError",
    "SignInRefusedError",
    "SourceError",
    "SourceRefusedError",
    "SourceUnreachableError",
    "SpecMisfitError",
    "StaleLeaseError",
    "StoreUnavailableError",
    "TooManyAttemptsError",
    "UnavailableError",
    "UnsupportedProtocolError",
    "VersionMismatchError",
    "WorkerNotFoundError",
]
