"""What build entry points tell of themselves by OpenTelemetry, and where it goes.

`telemetry_for` is what the run driver calls. Nothing here imports aiohttp before the first build entry point.
"""

from lineshaft.worker.otlp.endpoints import NO_ENDPOINTS, Endpoints, Telemetry, telemetry_for

__all__ = ["NO_ENDPOINTS", "Endpoints", "Telemetry", "telemetry_for"]
