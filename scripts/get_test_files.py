"""Documents that other people made, for tests/test_real_files.py: the test data of packages, fetched through pip.

`get_test_files.py [FOLDER]`; without one, ~/.cache/rag-agent-test/files. What is there is not fetched again.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGES = ("odfpy==1.4.1", "pypdfium2==5.15.2", "python-docx==1.2.0", "python-pptx==1.0.2")
SUFFIXES = (".docx", ".odp", ".ods", ".odt", ".pdf", ".pptx", ".tif", ".xlsx")


def fetch(package: str, folder: Path) -> None:
    """The documents of a package's source archive, under its name."""
    with tempfile.TemporaryDirectory() as place:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            "--dest",
            place,
            package,
        ]
        subprocess.run(command, check=True)
        [archive] = Path(place).glob("*.tar.gz")
        with tarfile.open(archive) as source:
            for member in source.getmembers():
                name = Path(member.name).name
                content = source.extractfile(member) if member.isfile() and Path(name).suffix in SUFFIXES else None
                if content:
                    folder.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(content.read())


if __name__ == "__main__":
    root = Path(sys.argv[1]) if sys.argv[1:] else Path.home() / ".cache" / "rag-agent-test" / "files"
    for one in PACKAGES:
        if not (root / one).is_dir():
            fetch(one, root / one)
    print(root)
