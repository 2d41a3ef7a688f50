"""Events at NATS JetStream."""

from lineshaft.integrations.nats.event_sink import NatsEventSink

__all__ = ["NatsEventSink"]
