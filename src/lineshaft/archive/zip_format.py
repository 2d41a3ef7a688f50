"""The structures of ZIP archives that are written and read here (PKWARE's APPNOTE.TXT, 6.3.10)."""

import struct
from typing import Final

LOCAL: Final = struct.Struct("<4s5H3I2H")
"""Signature, version, flags, method, time, date, CRC, packed size, size, lengths of name and extra field."""

CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
"""Signature, maker, version, flags, method, time, date, CRC, packed size, size, lengths of name, extra field
and comment, disk, internal and external attributes, offset of the local header."""

END: Final = struct.Struct("<4s4H2IH")
"""Signature, disk, disk of the directory, entries on this disk, entries, size and offset of the directory,
length of the comment."""

END_64: Final = struct.Struct("<4sQ2H2I4Q")
"""Signature, size of what follows, maker, version, disk, disk of the directory, entries on this disk, all
entries, size and offset of the directory."""

LOCATOR_64: Final = struct.Struct("<4sIQI")
"""Signature, disk of the end record, its offset, number of disks."""

DESCRIPTOR: Final = struct.Struct("<4s3I")
"""Signature, CRC, packed size, size."""

DESCRIPTOR_64: Final = struct.Struct("<4sI2Q")
"""As DESCRIPTOR, for entries whose local header has ZIP64's extra field."""

LOCAL_SIGN: Final = b"PK\3\4"
CENTRAL_SIGN: Final = b"PK\1\2"
END_SIGN: Final = b"PK\5\6"
END_64_SIGN: Final = b"PK\6\6"
LOCATOR_64_SIGN: Final = b"PK\6\7"
DESCRIPTOR_SIGN: Final = b"PK\7\x08"

STORED: Final = 0
DEFLATED: Final = 8

IN_DESCRIPTOR: Final = 0x8
"""The flag that CRC and sizes follow the data."""

UTF_8: Final = 0x800
"""The flag that the name is UTF-8."""

ENCRYPTED: Final = 0x2041
"""The flags that data or directory are encrypted."""

LARGE: Final = 0xFFFFFFFF
"""What stands in 32 bits for a number that is in ZIP64's extra field."""

MANY: Final = 0xFFFF
"""What stands in 16 bits for a number that is in ZIP64's end record."""

EXTRA_64: Final = 1
"""The id of ZIP64's extra field."""

MADE_BY_UNIX: Final = 3
FOLDER_ATTRIBUTE: Final = 0x10
VERSION: Final = 20
VERSION_64: Final = 45
