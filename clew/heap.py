"""How the C library of a serving process takes memory from the system, and gives it back."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
LARGE_BYTES = 2**20
SPARE_BYTES = 4 * 2**20


def map_large_blocks() -> None:
    """Blocks of a mebibyte and more are mapped for themselves, and given back when they are freed.

    glibc raises that limit up to 32 MiB by itself when large blocks are freed, and takes those that follow from the
    heap. A dict of users that comes and goes is rebuilt every minute or so as a block of some MiB, for which the heap,
    where small blocks have settled in the hole of the last, grows each time. The scores of one list are smaller: the
    heap keeps 4 MiB free for those. Other C libraries have no such limit.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)  # left alone it would be 128 KiB from now on
