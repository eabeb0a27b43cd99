"""Dumps of the original, `NAME.gob.br`: read, and written so that its tools read them.

The file
    One brotli stream, around one gob stream, in which stands one value: a list of machines. Each
    has its schema (`MsgStruct`), its transitions (`MsgTxs`) and the version of the program. No
    header, no index, no order over machines. Gob is the format of Go's library `encoding/gob`;
    no Go is needed here, as a gob stream explains itself.

Numbers
    An unsigned integer below 128 is its own byte. A larger one is a byte that counts the bytes
    to come, negated (0xff is one, 0xf8 eight), and those bytes, the highest first. A signed one
    is shifted left, bit 0 telling whether all other bits were flipped; so small ones stay small.
    A float is the unsigned integer of its 64 bits with their bytes turned round (the low bits of
    most floats are zero, and fall off that way). Strings have their length in bytes in front.

Messages and types
    A stream is a row of messages, each with its length in front. A message that begins with a
    negative number -N defines type N; one that begins with a positive N is a value of type N.
    Types 1 to 8 are basic ones; those from 16 to 23 say what a definition looks like, and are the
    only thing that a reader has to know beforehand; streams number their own from 64 on.
    Definitions come in any order, but before the first value that needs them. They may refer to
    each other, and to themselves. `types` has all of this.

Values
    A struct is a row of fields: how many numbers further the field is than the one before, then
    its value; 0 ends it. Fields that are zero, empty or nil are left out. (So a reader can't tell
    an empty list from none.) Elements of lists and maps are never left out. A list is its count
    and its elements, a map its count and its pairs, in no order. Pointers don't show. A value
    that is neither struct nor field (one that a message begins with, or that an interface holds)
    has a zero byte in front.

Interfaces
    The hard part. First the name of the value's type; an empty one is nil. Then the number of the
    type, as in a message; but if the stream hasn't defined the type yet, definitions come first,
    here, in the middle of the value. Those end the message, and the value goes on in the next one
    (inside of a further interface it goes on in the same, after a count of bytes). Last, a count
    of bytes, which misses what a later definition pushed into the next message, and so is of no
    use; and the value. Dumps hold integers and strings there; `decoder` reads whatever may come.

Names
    Streams leave most names of types empty, and numbers differ from program to program. What a
    struct is, is told by where it stands and by the names of its fields. `layout` compares the
    types of a stream with those that a dump has today. Fields that one side lacks are fine. Types
    that differ are an error, which is found before the first value is read.

Two layouts
    Recordings of 2024 lack fields. Where zero would say something wrong, the reader says what it
    was then: steps without indexes have names; levels of log lines were one lower; relations
    stand in an interface. A recording is always written in the layout of today.

Calls
    A machine of the original's tells its debugger the same messages by Go's `net/rpc`: a stream in
    each direction, in which values come in pairs. `calls` has both sides, `feeding` reads a stream
    that has no end, `live` weaves what has no end.

What isn't the original's
    Our recordings know more: where a pipe begins and ends, why something was refused, what was
    lost. `notes` and `weaving` put that into log lines, those that the original's tools read where
    there are such, and take it out again. Reading and writing once more gives the same bytes.

Files of unknown origin
    Everything that a file can ask for has a limit (`Limits`): decompressed bytes, values, levels.
    Whatever is wrong ends in a `DumpFormatError` with the offset in the decompressed stream (in
    the file, if brotli itself is damaged). Text that isn't UTF-8 shows as `\\xNN`.
"""

from __future__ import annotations

from amctl.dump.gob.decoder import Limits
from amctl.dump.gob.reading import read_gob
from amctl.dump.gob.writing import GobWriter, encode_gob

__all__ = ["GobWriter", "Limits", "encode_gob", "read_gob"]
