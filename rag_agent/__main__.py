"""`python -m rag_agent` is `rag-agent`."""

import os
import sys
from pathlib import Path

# Python puts the working folder first on the path; a `torch.py` that lies there would be run. This package stays importable.
if not sys.flags.safe_path and sys.path and Path(sys.path[0] or os.curdir).resolve() == Path.cwd() != Path(__file__).parents[1]:
    del sys.path[0]

from rag_agent.cli import main

main()
