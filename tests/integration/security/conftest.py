"""Cases that this machine cannot have are not collected."""

from conformance.executors.sandboxes import SANDBOXES

collect_ignore = [] if SANDBOXES else ["test_isolation.py"]
