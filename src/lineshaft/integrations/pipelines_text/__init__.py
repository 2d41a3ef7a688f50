"""Where a server's file of pipelines is: in a file system, or behind a URL."""

from lineshaft.integrations.pipelines_text.file import PipelinesAtPath
from lineshaft.integrations.pipelines_text.url import PipelinesAtUrl

__all__ = ["PipelinesAtPath", "PipelinesAtUrl"]
