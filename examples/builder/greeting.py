"""What the example builds: a greeting with the version that its setup wrote."""

import sys
from pathlib import Path

sys.stdout.write(f"Hello from {Path('made.txt').read_text(encoding='utf-8').strip()}\n")
