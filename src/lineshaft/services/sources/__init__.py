"""Where definitions and revisions come from: the repositories of pipelines."""
