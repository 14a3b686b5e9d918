"""What a serving process gives back to the system."""

import subprocess
import sys

import pytest

FREED_THEN_TAKEN = """
import ctypes, sys

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
        ("arena", "ordblks", "smblks", "hblks", "mapped", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
if sys.argv[1] == "mapped":
    from clew.heap import map_large_blocks
    map_large_blocks()
block = bytearray(30 << 20)
del block
before = libc.mallinfo2().mapped
block = bytearray(3 << 20)
print((libc.mallinfo2().mapped - before) >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of the C library of Linux")
@pytest.mark.parametrize(("how", "mib"), [("mapped", 3), ("as it comes", 0)])
def test_a_large_block_is_mapped_even_after_a_larger_one_was_freed(how: str, mib: int) -> None:
    found = subprocess.run([sys.executable, "-c", FREED_THEN_TAKEN, how], capture_output=True, text=True, check=True)
    assert int(found.stdout) == mib
