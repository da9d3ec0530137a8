"""The operating system's part of the memory limit; the program's caller watches the resident size beside it."""

import sys

# Code, the libraries' tables and the stacks of the threads: mapped before any data is read.
_BASE_MB = 512


def limit_memory(memory_mb: int) -> None:
    """Lets allocations beyond `memory_mb` fail, so that the error is a MemoryError here and not the machine's out-of-memory killer.

    RLIMIT_DATA counts private writable memory only. RLIMIT_AS would count what allocators and OpenMP reserve and never touch
    (64 MB an arena, 8 MB a stack, gigabytes of a pool), and RLIMIT_RSS has no effect on Linux. macOS ignores RLIMIT_DATA.
    """
    try:
        import resource
    except ImportError:
        return
    limit = (memory_mb + _BASE_MB) * 1024 * 1024
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except (ValueError, OSError) as error:
        print(f"The memory limit of {memory_mb} MB cannot be set: {error}", file=sys.stderr)
