"""Formats that are ZIP archives: office documents, books."""

import io
import zipfile

from rag_agent.documents.reading import MAX_BYTES, Unreadable


def check_zip(data: bytes) -> None:
    """Refuse an archive that unpacks to more than is read; what it states is what `zipfile` will unpack at most."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise Unreadable("damaged, or protected by a password") from error
    if size > MAX_BYTES:
        raise Unreadable(f"unpacks to {size // 1024 // 1024} MiB, more than {MAX_BYTES // 1024 // 1024}")
