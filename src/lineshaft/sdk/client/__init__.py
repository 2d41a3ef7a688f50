"""The API client: a method for each route of a Lineshaft server.

```python
from lineshaft.sdk.client import Client
from lineshaft.sdk.config import ClientConfig

with Client(ClientConfig.load()) as client:
    made = client.create_pipeline({"name": "hello", "stages": [...]})
    run = client.start_run(made.id)
    for change in client.events(run.id):
        print(change.path, change.state)
```
"""

from lineshaft.sdk.client.client import Client
from lineshaft.sdk.client.pipelines import YAML, Definition
from lineshaft.sdk.client.runs import JSON, Overrides

__all__ = ["JSON", "YAML", "Client", "Definition", "Overrides"]
