"""The queue: attempts on their way into it, how workers take them out, and the leases on them.

A *queue* holds attempts that ask for the same: kind, labels, processors and memory. So whether a worker may
take from it is decided once for all that is in it, and what it takes is the beginning of an index range,
however much waits. Within a queue and a priority, pipelines take turns; an attempt's `turn` says when its own
comes.
"""
