"""What a run begins with that another run has led to, by calling it or by its end."""

from dataclasses import dataclass

from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.ports.repositories import Repositories
from lineshaft.services.pipelines import Check
from lineshaft.services.run_request import RunRequest
from lineshaft.services.sources.basis import Basis, basis_of
from lineshaft.services.sources.following import shared_source
from lineshaft.services.sources.reading import SourceReader


@dataclass(frozen=True, slots=True)
class SharedBasis:
    """Finds out what runs begin with that others have led to; not within a transaction.

    Attributes:
        reader: reads the definitions of pipelines that are kept in repositories.
        repositories: the mirrors.
        check: refuses a definition that the settings do not allow.
    """

    reader: SourceReader
    repositories: Repositories
    check: Check

    async def find(self, run: Run, pipeline: Pipeline) -> Basis:
        """Find out what a run of a pipeline begins with.

        It works on the revision of the run that leads to it where both have the same repository, and on its
        own otherwise. A pipeline that is kept in a repository does what its file says there.

        Args:
            run: which leads to it.
            pipeline: whose run it is to be.

        Raises:
            InvalidDefinitionError: the file cannot be read, or the settings do not allow it.
            MergeConflictError: the revision is a merge that cannot be made.
            SecretsUnavailableError: what signs in at the repository cannot be had now.
            SourceRefusedError: the repository has no such commit, or the settings do not allow it.
            SourceUnreachableError: the repository does not answer.
        """
        source = shared_source(run, pipeline)
        if source is not None and source.merge is not None:
            # Which nobody has pushed, so that this server has to make it first.
            remote = await self.reader.remote(source.repository)
            await self.repositories.merge(remote, source.merge)
        basis = await basis_of(self.reader, pipeline, RunRequest(revision=source))
        self.check(basis.definition)
        return basis
